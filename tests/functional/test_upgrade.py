"""`sagelet upgrade`, as it is typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sagelet.cli.main import main

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "unit" / "upgrade" / "scripts"
EXAMPLE = ROOT / "examples" / "digits"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script that trains, and one that does not; the commands run in it."""
    shutil.copy(CASES / "no_loader" / "before.py", tmp_path / "train.py")
    (tmp_path / "other.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["upgrade", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_diff_is_data_and_the_rest_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "train.py").read_bytes()
    code, out, err = said(capsys, "train.py")
    assert code == 0
    assert out.startswith("--- train.py\n+++ train.py\n@@ ")
    assert "\x1b" not in out + err
    assert (
        '  done  "data/train.csv" is looked for below SM_CHANNEL_TRAINING [hard-coded-data-path]\n'
        in err
    )
    assert (
        "  left  train.py:19: the training stays on one host: its loop does not go over a "
        "DataLoader that the script makes [not-distributed]\n"
    ) in err
    assert (folder / "train.py").read_bytes() == before


def test_a_script_is_written_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "--write", "train.py")
    assert (code, out) == (0, "")
    assert err.startswith("wrote train.py\n  done  ")
    assert (folder / "train.py").read_bytes() == (CASES / "no_loader" / "after.py").read_bytes()
    code, out, err = said(capsys, "--write", "train.py")
    assert (code, out) == (0, "")
    assert err.startswith("train.py: nothing to do\n")


def test_a_check_ends_with_3_while_something_would_change(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "--check", ".")[0] == 3
    said(capsys, "--write", ".")
    assert said(capsys, "--check", ".")[0] == 0


def test_of_a_folder_only_what_matters_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "other.py" not in "".join(said(capsys, ".")[1:])
    assert said(capsys, "other.py")[2] == "other.py: nothing to do: it does not import torch\n"


def test_the_document_says_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "--json", ".")
    document: dict[str, Any] = json.loads(out)
    assert (code, err) == (0, "")
    other, train = sorted(document["files"], key=lambda each: each["path"])
    assert other == {
        "path": "other.py",
        "changed": False,
        "written": None,
        "why": "it does not import torch",
        "changes": [],
        "left": [],
        "diff": "",
    }
    assert train["changed"] is True
    assert train["diff"].startswith("--- train.py")
    assert train["changes"][0]["rule"] == "no-main-guard"
    assert train["left"][0]["line"] == 19


def test_what_makes_no_sense_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--write", "--check", "train.py")[0] == 2
    assert said(capsys, ".", "--output", "new.py")[0] == 2
    assert said(capsys)[0] == 2
    assert said(capsys, "nobody.py")[0] == 4
    (folder / "train.ipynb").write_text("{")
    assert said(capsys, "train.ipynb")[0] == 1


def test_what_is_not_python_is_left_with_its_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train.py").write_text("import torch\ndef f(:\n")
    code, out, err = said(capsys, "train.py")
    assert (code, out) == (0, "")
    assert err == "train.py: nothing to do: line 2 is not Python\n"


def test_the_examples_script_is_what_the_command_makes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(EXAMPLE / "normal_script.py", folder)
    assert said(capsys, "normal_script.py", "--output", "new.py")[:2] == (0, "")
    assert (folder / "new.py").read_bytes() == (EXAMPLE / "train.py").read_bytes()
    assert main(["check", "--select", "hard-coded-output-path,no-main-guard", "new.py"]) == 0
