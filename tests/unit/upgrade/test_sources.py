from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sagelet.errors import PathNotFound, UnreadableSource
from sagelet.upgrade.lexing import Kind, logical_lines, pieces
from sagelet.upgrade.sources import read_source


def a_notebook(path: Path, *cells: str | Sequence[str]) -> Path:
    """Write a notebook (nbformat 4) with a text cell before each code cell."""
    written: list[dict[str, Any]] = []
    for cell in cells:
        written += [
            {"cell_type": "markdown", "metadata": {}, "source": "some words"},
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell},
        ]
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": written}))
    return path


def a_script(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        (b"x = 'a'\n", "utf-8", "x = 'a'\n"),
        (b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", "utf-8-sig", "x = 1\r\ny = 2\r\n"),
        ("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "iso-8859-1", None),
        ("# -*- coding: cp1252 -*-\nx = '“'\n".encode("cp1252"), "cp1252", None),
        (b"x = 1\ry = 2\r", "utf-8", "x = 1\ry = 2\r"),
    ],
)
def test_a_script_is_read_in_the_encoding_that_python_would_take(
    tmp_path: Path, content: bytes, encoding: str, text: str | None
) -> None:
    source = read_source(a_script(tmp_path / "train.py", content))

    assert source.encoding == encoding
    assert source.text == (text if text is not None else content.decode(encoding))
    assert source.has_bom == content.startswith(b"\xef\xbb\xbf")
    assert source.tree is not None
    assert source.place(2) == (None, 2)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"x = 1\ny = (\n", 2, "'(' was never closed"),
        (b"x = 1\ny = '\xff'\n", 2, "byte 11 (0xff) is not utf-8 text"),
        (b"# coding: klingon\n", 1, "unknown encoding: klingon"),
        (b"x = 1\ny = '\0'\n", 2, "there is a NUL in it"),
        (b"(" * 9000, 1, "too many nested parentheses"),
        (b"x = " + b"-" * 100_000 + b"1", 1, "too deeply nested for Python to read"),
    ],
)
def test_what_does_not_parse_is_a_source_with_its_mistake(
    tmp_path: Path, content: bytes, line: int, message: str
) -> None:
    source = read_source(a_script(tmp_path / "train.py", content))

    assert source.tree is None
    assert [(each.line, each.message) for each in source.mistakes] == [(line, message)]


def test_a_script_with_an_escape_that_means_nothing_is_read_without_a_warning(
    tmp_path: Path,
) -> None:
    assert read_source(a_script(tmp_path / "train.py", r"x = '\w'")).tree is not None


def test_a_missing_script_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound):
        read_source(tmp_path / "train.py")


def test_a_folder_is_no_script(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="directory"):
        read_source(tmp_path)


def test_the_cells_of_a_notebook_are_one_module_with_a_way_back(tmp_path: Path) -> None:
    path = a_notebook(tmp_path / "train.ipynb", ["import torch\n", "x = 1"], "", "y = x\nz = y")

    source = read_source(path)

    assert source.text == "import torch\nx = 1\n\ny = x\nz = y"
    assert source.tree is not None
    assert [source.place(line) for line in range(1, 6)] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    assert [cell.index for cell in source.cells or ()] == [1, 3, 5]
    assert source.shown(5) == "z = y"


def test_a_notebook_of_the_third_format_is_read_too(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "language": "python", "input": ["x = 1\n", "y = 2"]}]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))

    assert read_source(path).text == "x = 1\ny = 2"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        (
            "if x:\n    !pip install torch \\\n      numpy\n    y = 1",
            "if x:\n    pass\n\n    y = 1",
        ),
        ("files = !ls\nx = %timeit 1", "files = None\nx = None"),
        ("torch.load?\n?torch", "pass\npass"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ("%%bash\nls -l\n\nif [ x ]; then", "# %%bash\n# ls -l\n\n# if [ x ]; then"),
        ("x = '''\n%d\n''' \\\n% 3\n!ls", "x = '''\n%d\n''' \\\n% 3\npass"),
        ("x = (7\n% 3)", "x = (7\n% 3)"),
        ("await model.load()", "await model.load()"),
    ],
)
def test_magics_are_put_out_of_the_way_and_lines_stay_where_they_are(
    tmp_path: Path, cell: str, text: str
) -> None:
    source = read_source(a_notebook(tmp_path / "train.ipynb", cell))

    assert source.text == text
    assert source.tree is not None
    assert source.shown(1) == cell.partition("\n")[0]


def test_a_broken_cell_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    path = a_notebook(tmp_path / "train.ipynb", "x = 1", "y = 2\nfor in y:\n    pass", "z = 3")

    source = read_source(path)

    assert source.tree is not None
    assert source.text.splitlines()[-1] == "z = 3"
    assert source.lines[2] == "for in y:"
    (mistake,) = source.mistakes
    assert source.place(mistake.line) == (2, 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "train.ipynb:1 cannot be read: it is not JSON"),
        (b"\xff", "it is not UTF-8 text"),
        (b"[" * 100_000, "it is too deeply nested"),
        (b"[]", "its top is no object"),
        (b"{}", "it has no `cells`"),
        (b'{"cells": [1]}', "its cell 1 is no object"),
        (b'{"cells": [{"cell_type": "code", "source": 1}]}', "the source of its cell 1 is no text"),
        (b'{"metadata": {"kernelspec": {"language": "R"}}, "cells": []}', "its cells are r"),
    ],
)
def test_a_broken_notebook_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = a_script(tmp_path / "train.ipynb", content)

    with pytest.raises(UnreadableSource) as raised:
        read_source(path)

    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("x = 'a' # b", [Kind.CODE, Kind.STRING, Kind.CODE, Kind.COMMENT]),
        ('x = "a\ny', [Kind.CODE, Kind.BROKEN, Kind.NEWLINE, Kind.CODE]),
        ("'''a\n'b'''c", [Kind.STRING, Kind.CODE]),
        ("'''a", [Kind.STRING]),
        (r"'a\'b'", [Kind.STRING]),
        (r"'a\'", [Kind.BROKEN]),
        ("''", [Kind.STRING]),
        ("'a\\\nb'", [Kind.STRING]),
        ("'a\\", [Kind.BROKEN, Kind.CODE]),
        ("'''a\\", [Kind.STRING]),
    ],
)
def test_a_text_is_taken_to_pieces(text: str, kinds: list[Kind]) -> None:
    found = list(pieces(text))

    assert [piece.kind for piece in found] == kinds
    assert "".join(text[piece.start : piece.end] for piece in found) == text


def test_statements_begin_outside_of_brackets_and_strings() -> None:
    text = "x = (1,\n  2)\n\n# no\nif x:  # yes\n  y = '''\n:'''\r\nz = 1 + \\\n  2\nelse:"

    found = [
        (line.number, line.last, line.indent, line.ends_with_colon) for line in logical_lines(text)
    ]

    assert found == [
        (1, 2, "", False),
        (5, 5, "", True),
        (6, 7, "  ", False),
        (8, 9, "", False),
        (10, 10, "", True),
    ]
