"""Notebooks (nbformat 3 and 4), read as JSON: their code cells, joined to one module.

Lines are never shifted. Magics become `pass`, a cell that is none of Python's becomes comments, and
so does one that does not parse: its mistake is told, and the other cells are still read.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagelet.errors import UnreadableSource
from sagelet.upgrade.lexing import logical_lines, split_lines

_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"})
_MAGIC = re.compile(r"[%!]|\?{1,2}\w")
_HELP = re.compile(r"[\w.]+\?{1,2}$")
_ASSIGNED = re.compile(r"(?P<target>[\w., ]+=\s*)[%!]")
_CELL_MAGIC = re.compile(r"\s*%%\s*(?P<name>\w+)?")


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: `number` among the code cells, from 1, and `index` among all cells, from 0.

    `text` is as it stands in the notebook; `first_line` is where it begins in the joined module.
    """

    number: int
    index: int
    text: str
    first_line: int

    @property
    def line_count(self) -> int:
        """How many lines of the module are this cell's."""
        return len(split_lines(self.text))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A cell's syntax error; `line` and `column` are the module's, from 1."""

    line: int
    column: int
    message: str


@dataclass(slots=True)
class Joined:
    """A notebook's code as one module. `written` is the same with broken cells as they stand."""

    cells: list[Cell] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


def read_notebook(path: Path, content: str) -> Joined:
    """Return the code of a notebook.

    Raises:
        UnreadableSource: it is no notebook, or not one of Python's.
    """
    joined = Joined()
    line = 1
    for index, text in _code_cells(path, _document(path, content)):
        cell = Cell(len(joined.cells) + 1, index, text, line)
        plain = without_magics(text)
        mistake = mistake_in(plain)
        joined.cells.append(cell)
        joined.written.append(plain)
        joined.parts.append(plain if mistake is None else commented(plain))
        if mistake is not None:
            joined.mistakes.append(
                Mistake(line + mistake.line - 1, mistake.column, mistake.message)
            )
        line += cell.line_count
    return joined


def without_magics(text: str) -> str:
    """Return a cell with what is IPython's own, not Python's, put out of the way."""
    if mistake_in(text) is None:
        return text  # magics are no Python: a cell that parses has none
    first = _CELL_MAGIC.match(text)
    if first is not None and (first["name"] or "") not in _PYTHON_MAGICS:
        return commented(text)
    found = list(split_lines(text))
    for line in list(logical_lines(text)):
        shown = found[line.number - 1].strip()
        assigned = _ASSIGNED.match(shown)
        if assigned is not None:
            instead = f"{assigned['target']}None"
        elif _MAGIC.match(shown) or _HELP.match(shown):
            instead = "pass"
        else:
            continue
        for number in range(line.number, line.last + 1):
            found[number - 1] = ""
        found[line.number - 1] = line.indent + instead
    return "\n".join(found)


def mistake_in(text: str) -> Mistake | None:
    """Return what keeps a text from being Python, or None."""
    parsed = parse(text)
    return parsed if isinstance(parsed, Mistake) else None


def parse(text: str) -> ast.Module | Mistake:
    """Return a text's syntax tree, or what is wrong with it."""
    if "\0" in text:  # Pythons differ in where they see it
        return Mistake(len(split_lines(text[: text.find("\0")])), 1, "there is a NUL in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's code: an escape that means nothing
            return ast.parse(text)
    except SyntaxError as error:
        return Mistake(error.lineno or 1, max(error.offset or 1, 1), error.msg or "not Python")
    except UnicodeEncodeError:  # a lone surrogate, which JSON can say
        return Mistake(1, 1, "there are characters in it that are none")
    except (RecursionError, MemoryError):
        return Mistake(1, 1, "too deeply nested for Python to read")


def commented(text: str) -> str:
    """Return a text with each line of it made a comment."""
    return "\n".join(f"# {line}" if line else "" for line in split_lines(text))


def _document(path: Path, content: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except json.JSONDecodeError as error:
        reason = f"it is not JSON: {error.msg}"
        raise UnreadableSource(path=str(path), reason=reason, line=error.lineno) from error
    except RecursionError as error:
        raise UnreadableSource(path=str(path), reason="it is too deeply nested") from error
    if not isinstance(document, Mapping):
        raise UnreadableSource(path=str(path), reason="it is no notebook: its top is no object")
    return document


def _code_cells(path: Path, document: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    language = _language(document)
    if language not in ("python", "ipython"):
        raise UnreadableSource(path=str(path), reason=f"its cells are {language}, not Python")
    for index, cell in enumerate(_cells(path, document)):
        if not isinstance(cell, Mapping):
            raise UnreadableSource(path=str(path), reason=f"its cell {index + 1} is no object")
        if cell.get("cell_type") != "code":
            continue
        yield index, _text(path, index, cell)


def _cells(path: Path, document: Mapping[str, Any]) -> list[Any]:
    cells = document.get("cells")
    if cells is None and isinstance(document.get("worksheets"), list):
        sheets = document["worksheets"]
        cells = [
            cell
            for sheet in sheets
            if isinstance(sheet, Mapping) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    if not isinstance(cells, list):
        raise UnreadableSource(path=str(path), reason="it is no notebook: it has no `cells`")
    return cells


def _text(path: Path, index: int, cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(part, str) for part in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise UnreadableSource(
            path=str(path), reason=f"the source of its cell {index + 1} is no text"
        )
    return source


def _language(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        return "python"
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(key)
        if isinstance(about, Mapping) and isinstance(about.get(name), str):
            return str(about[name]).lower()
    return "python"
