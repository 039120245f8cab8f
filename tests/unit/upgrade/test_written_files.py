"""An upgraded file: its mode, encoding, line ends, mark and outputs are what they were."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from sagelet.errors import PathNotFound, SourceChanged, SourceNotWritten
from sagelet.upgrade.diffs import diff
from sagelet.upgrade.files import as_one_script, files_of, new_content, replace_file, write_script
from sagelet.upgrade.notebook_text import with_cells
from sagelet.upgrade.rewriting import upgrade_source
from sagelet.upgrade.sources import read_source

CASES = Path(__file__).parent / "scripts"


def rewrite(path: Path) -> bytes:
    """Upgrade a file in place, and return its new content."""
    before = path.read_bytes()
    source = read_source(path)
    replace_file(path, before, new_content(source, upgrade_source(source), before))
    return path.read_bytes()


def script(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "train.py"
    path.write_bytes(content)
    return path


def test_line_ends_and_mode_are_kept(tmp_path: Path) -> None:
    path = script(tmp_path, (CASES / "crlf" / "before.py").read_bytes())
    path.chmod(0o751)
    content = rewrite(path)
    assert content == (CASES / "crlf" / "after.py").read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert list(tmp_path.iterdir()) == [path]


def test_an_encoding_of_its_own_and_a_mark_are_kept(tmp_path: Path) -> None:
    text = (CASES / "tabs" / "before.py").read_text("utf-8")
    latin = f"# -*- coding: latin-1 -*-\n# für Zahlen\n{text}".encode("latin-1")
    assert "# für Zahlen\n".encode("latin-1") in rewrite(script(tmp_path, latin))
    marked = "\ufeff".encode() + text.encode()
    assert rewrite(script(tmp_path, marked)).startswith("\ufeffimport argparse\n".encode())


def test_a_link_stays_one(tmp_path: Path) -> None:
    path = script(tmp_path, (CASES / "tabs" / "before.py").read_bytes())
    link = tmp_path / "link.py"
    link.symlink_to(path)
    rewrite(link)
    assert link.is_symlink()
    assert path.read_bytes() == (CASES / "tabs" / "after.py").read_bytes()


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = script(tmp_path, b"theirs\n")
    with pytest.raises(SourceChanged, match="somebody has changed it meanwhile"):
        replace_file(path, b"mine\n", b"new\n")
    assert path.read_bytes() == b"theirs\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceNotWritten, match="No such file"):
        replace_file(tmp_path / "train.py", b"", b"")
    with pytest.raises(SourceNotWritten):
        write_script(
            tmp_path / "no" / "train.py", upgrade_source(read_source(CASES / "tabs" / "before.py"))
        )
    with pytest.raises(PathNotFound):
        files_of(tmp_path / "no")


def test_a_notebook_keeps_outputs_and_the_way_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    content = (CASES / "notebook" / "before.ipynb").read_bytes()
    path.write_bytes(content)
    new = rewrite(path)
    assert new == (CASES / "notebook" / "after.ipynb").read_bytes()
    before, after = json.loads(content), json.loads(new)
    for cell in (*before["cells"], *after["cells"]):
        if cell["cell_type"] == "code":
            cell["source"] = []
    assert before == after
    assert rewrite(path) == new


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("tail", ["", "\n"])
def test_a_notebooks_json_is_written_as_it_was(indent: int | str | None, tail: str) -> None:
    document = {"cells": [{"cell_type": "code", "source": "x = 'é'"}], "nbformat": 4}
    separators = (",", ":") if indent is None else (",", ": ")
    content = json.dumps(document, indent=indent, ensure_ascii=False, separators=separators) + tail
    assert with_cells(content, ["x = 'é'"]) == content
    assert with_cells(content.replace("\n", "\r\n"), ["y"]).replace(
        "\r\n", "\n"
    ) == content.replace("x = 'é'", "y")


def test_a_notebook_becomes_a_script_with_its_magics_as_comments(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    source = as_one_script(read_source(CASES / "notebook" / "before.ipynb"))
    write_script(path, upgrade_source(source))
    text = path.read_text("utf-8")
    assert text.startswith("# %matplotlib inline\nimport argparse\n")
    assert "\n# %%bash\n# echo nothing\n" in text
    compile(text, "train.py", "exec")
    again = upgrade_source(read_source(path))
    assert again.changes == ()


def test_a_diff_may_be_applied(tmp_path: Path) -> None:
    path = script(tmp_path, (CASES / "tabs" / "before.py").read_bytes().rstrip(b"\n"))
    source = read_source(path)
    shown = diff(source, upgrade_source(source), "train.py")
    assert shown.startswith("--- train.py\n+++ train.py\n@@ -1,")
    assert "-train()\n\\ No newline at end of file\n" in shown


def test_of_a_folder_what_is_somebody_elses_is_passed_over(tmp_path: Path) -> None:
    for name in (
        "a.py",
        "b/c.ipynb",
        ".venv/d.py",
        "node_modules/e.py",
        "env/pyvenv.cfg",
        "env/f.py",
        "g.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [each.name for each in files_of(tmp_path)] == ["a.py", "c.ipynb"]
    assert files_of(tmp_path / "g.txt") == [tmp_path / "g.txt"]
