"""`sagelet check` and `sagelet explain`, as they are typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sagelet.cli.main import main
from sagelet.upgrade.catalogue import RULES

SCRIPT = """\
import torch
def train(loss):
\tloss.backward()
\ttorch.save(loss, "model.pth")
train(1)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, without a configuration, that the commands run in."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(folder: Path, more: str = "") -> None:
    text = f"environments: {{local: {{}}}}\ntrain:\n  entry_point: train.py\n{more}"
    (folder / "sagelet.yml").write_text(text)


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:  # noqa: ANN401  what the command prints
    return json.loads(said(capsys, *argv, "--json")[1])


def test_a_finding_is_shown_with_its_place_its_line_and_a_hint(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "check", "train.py", "--select", "hard-coded-output-path")

    assert code == 3
    assert err == ""
    assert out == (
        "error[hard-coded-output-path]: 'model.pth' is lost when the job ends\n"
        " --> train.py:4:19\n"
        "  |\n"
        '4 | \ttorch.save(loss, "model.pth")\n'
        "  | \t                 ^\n"
        "  = hint: Save below SM_MODEL_DIR, and what is no model below SM_OUTPUT_DATA_DIR.\n"
        "\n"
        "1 error in 1 file; `sagelet explain RULE` says why\n"
    )


def test_nothing_found_is_said_and_ends_with_0(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "train.py").write_text("x = 1\n")

    assert said(capsys, "check") == (0, "nothing found in 1 file\n", "")


def test_json_is_one_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = document(capsys, "check", "train.py", "--select", "no-main-guard, no-device")

    assert shown == {
        "findings": [
            {
                "rule": "no-device",
                "severity": "hint",
                "path": "train.py",
                "cell": None,
                "line": 3,
                "column": 2,
                "message": "this trains on the CPU, whatever the instance has",
                "hint": RULES["no-device"].fix,
            },
            {
                "rule": "no-main-guard",
                "severity": "warning",
                "path": "train.py",
                "cell": None,
                "line": 5,
                "column": 1,
                "message": "train() runs whenever this file is imported",
                "hint": RULES["no-main-guard"].fix,
            },
        ],
        "files": ["train.py"],
        "counts": {"error": 0, "warning": 1, "hint": 1},
    }


@pytest.mark.parametrize(
    ("rule", "fail_on", "code"),
    [
        ("no-device", None, 0),
        ("no-device", "hint", 3),
        ("no-main-guard", None, 3),
        ("no-main-guard", "error", 0),
        ("hard-coded-output-path", "error", 3),
    ],
)
def test_the_exit_code_follows_the_severity(
    rule: str, fail_on: str | None, code: int, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option = ["--fail-on", fail_on] if fail_on else []

    assert said(capsys, "check", "--select", rule, *option)[0] == code


def test_rules_are_left_out_by_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {each["rule"] for each in document(capsys, "check")["findings"]}

    left = document(capsys, "check", "--ignore", ",".join(names - {"no-device"}))["findings"]

    assert [each["rule"] for each in left] == ["no-device"]


def test_an_unknown_rule_is_a_usage_error_with_a_suggestion(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, "check", "--ignore", "no-main-gard")

    assert code == 2
    assert "no rule 'no-main-gard'; did you mean 'no-main-guard'?" in err


def test_a_path_that_is_not_there_ends_with_4(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "check", "trian.py")

    assert (code, out) == (4, "")
    assert "trian.py cannot be read: there is no such file or folder" in err


def test_a_file_that_no_rule_looks_at_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data.csv").write_text("1\n")

    assert said(capsys, "check", "data.csv")[0] == 2


def test_without_a_path_the_configuration_says_what_is_checked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project, "  source: src\nserve:\n  source: src\n  entry_point: src/serve.py\n")
    (project / "src").mkdir()
    (project / "train.py").rename(project / "src" / "train.py")
    (project / "src" / "serve.py").write_text("def predict_fn(data):\n    return 1\n")
    (project / "elsewhere.py").write_text("x = “1”\n")
    configured = (project / "sagelet.yml").read_text().replace("train.py", "src/train.py")
    (project / "sagelet.yml").write_text(configured)

    shown = document(capsys, "check")

    assert shown["files"] == ["src/serve.py", "src/train.py"]
    assert {"handler-arity", "missing-model-fn", "no-main-guard"} <= {
        each["rule"] for each in shown["findings"]
    }


def test_the_configuration_itself_is_checked_at_its_lines(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project, "  hyperparameters:\n    epochs: 3\n    sizes: [1, 2]\n    title: Ada's\n")
    (project / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--epoch', type=int)\n"
        "p.add_argument('--sizes')\np.add_argument('--title')\np.parse_args()\n"
    )

    code, out, _ = said(capsys, "check")

    assert code == 3
    assert re.findall(r"^(\w+\[[\w-]+\]).*\n *--> (\S+)", out, re.MULTILINE) == [
        ("error[unused-hyperparameter]", "sagelet.yml:5:1"),
        ("warning[split-hyperparameter]", "sagelet.yml:6:1"),
        ("warning[apostrophe-hyperparameter]", "sagelet.yml:7:1"),
        ("warning[split-hyperparameter]", "sagelet.yml:7:1"),
    ]
    assert "5 |     epochs: 3\n" in out


def test_a_missing_entry_point_is_a_finding(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "train.py").unlink()
    configure(project)

    code, out, _ = said(capsys, "check")

    assert code == 3
    assert "error[entry-point-missing]" in out
    assert " --> sagelet.yml:3:1" in out


def test_the_configuration_of_another_folder_counts_for_its_files(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, "  hyperparameters: {epochs: 3}\n")
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".git").mkdir()
    monkeypatch.chdir(elsewhere)

    shown = document(capsys, "check", "../train.py", "--select", "no-arguments")

    assert "(epochs)" in shown["findings"][0]["message"]


def test_a_broken_configuration_is_a_usage_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sagelet.yml").write_text("environments: {local: {}}\ntrian: {}\n")

    code, _, err = said(capsys, "check")

    assert code == 2
    assert "unknown key 'trian'; did you mean 'train'?" in err


def test_cells_of_a_notebook_are_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = ["%matplotlib inline", "x = 1\nif __name__ == 'main':\n    pass"]
    notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    (project / "nb.ipynb").write_text(json.dumps(notebook))

    _, out, _ = said(capsys, "check", "nb.ipynb")

    assert " --> nb.ipynb[cell 2]:2:4\n" in out
    assert "2 | if __name__ == 'main':\n  |    ^\n" in out


def test_what_a_script_says_cannot_drive_the_terminal(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "train.py").write_text("x = “\x1b]0;title\x07\x1b[2J”\n")

    _, out, _ = said(capsys, "check", "train.py")

    assert "smart-quotes" in out
    assert "\x1b" not in out


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "explain", "type-bool")

    assert code == 0
    assert out.startswith("type-bool (error): `type=bool` is true for any text\n\n")
    assert '    add_argument("--augment", type=bool)  # broken\n' in out
    assert "\nFix: " in out
    assert out.endswith("\nMore: docs/reference/rules.md#type-bool\n")
    assert max(len(line) for line in out.splitlines()) <= 100


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "explain")

    assert [line.split()[0] for line in out.splitlines()] == ["RULE", *RULES]
    assert [each["id"] for each in document(capsys, "explain")] == list(RULES)
    assert document(capsys, "explain", "no-eval")["link"] == "docs/reference/rules.md#no-eval"


def test_an_unknown_rule_ends_with_4_and_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "explain", "no-mainguard")

    assert code == 4
    assert "there is no rule 'no-mainguard'; did you mean 'no-main-guard'?" in err


def test_help_says_how_to_silence_a_rule() -> None:
    from sagelet.cli.commands.check import command

    assert "sagelet: ignore[RULE]" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.parametrize("module", ["libcst", "boto3", "botocore", "torch", "rich"])
def test_a_check_imports_nothing_heavy(module: str, project: Path) -> None:
    code = (
        "import sys; from sagelet.cli.main import main; main(['check', '-q', 'train.py']); "
        f"sys.exit({module!r} in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)

    assert done.returncode == 0, f"{module} was imported"


def test_the_real_program_finds_what_is_broken(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sagelet", "check", "train.py"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 3
    assert done.stderr == ""
    assert "error[hard-coded-output-path]" in done.stdout
