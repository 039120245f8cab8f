"""A script or a notebook, read without running it.

A notebook is one module: its code cells one below the other, with a way back from a line of the
module to a cell and a line of it. What does not parse is a source all the same, with its mistakes.
"""

from __future__ import annotations

import ast
import io
import tokenize
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sagelet.errors import PathNotFound, UnreadableSource
from sagelet.upgrade.lexing import split_lines
from sagelet.upgrade.notebooks import Cell, Mistake, parse, read_notebook

NOTEBOOK = ".ipynb"
_BOM = "\ufeff"


@dataclass(frozen=True)
class Source:
    """A script or a notebook.

    `text` is as it was written, newlines too, without a byte order mark; a notebook's is what its
    cells make together, magics and broken cells put out of the way. `tree` is None where it does
    not parse. `encoding` is that of the file; `has_bom` tells of a mark at its beginning.
    """

    path: Path
    text: str
    tree: ast.Module | None
    mistakes: tuple[Mistake, ...] = ()
    cells: tuple[Cell, ...] | None = None
    encoding: str = "utf-8"
    has_bom: bool = False
    written: str = ""
    """The text with broken cells as they stand; a script's is its `text`."""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines as they were written, without what ends them."""
        return split_lines(self.written)

    @property
    def is_notebook(self) -> bool:
        """Whether the source has cells."""
        return self.cells is not None

    def place(self, line: int) -> tuple[int | None, int]:
        """Return the cell's number (None in a script) and the line in it, of a line from 1."""
        if not self.cells:
            return None, line
        at = bisect_right(self.cells, line, key=lambda cell: cell.first_line)
        cell = self.cells[max(at - 1, 0)]
        return cell.number, line - cell.first_line + 1

    def shown(self, line: int) -> str:
        """Return a line as the user wrote it, magics too; nothing where there is no such line."""
        cell_number, line_of_cell = self.place(line)
        if cell_number is None or self.cells is None:
            return self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        lines = split_lines(self.cells[cell_number - 1].text)
        return lines[line_of_cell - 1] if 0 < line_of_cell <= len(lines) else ""


def read_source(path: Path) -> Source:
    """Read a script, or a notebook by its suffix `.ipynb`.

    Raises:
        PathNotFound: there is no such file.
        UnreadableSource: it cannot be read, or is no notebook.
    """
    content = read_bytes(path)
    if path.suffix == NOTEBOOK:
        return _notebook(path, content)
    encoding, has_bom, text, mistake = _decoded(content)
    return source_of(path, text, encoding=encoding, has_bom=has_bom, undecoded=mistake)


def source_of(
    path: Path,
    text: str,
    *,
    encoding: str = "utf-8",
    has_bom: bool = False,
    undecoded: Mistake | None = None,
) -> Source:
    """Return a script's text as a source."""
    parsed = undecoded or parse(text)
    tree, mistakes = (None, (parsed,)) if isinstance(parsed, Mistake) else (parsed, ())
    return Source(
        path=path,
        text=text,
        tree=tree,
        mistakes=mistakes,
        encoding=encoding,
        has_bom=has_bom,
        written=text,
    )


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        PathNotFound: there is no such file.
        UnreadableSource: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PathNotFound(str(path)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableSource(path=str(path), reason=reason) from error


def _notebook(path: Path, content: bytes) -> Source:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSource(path=str(path), reason="it is not UTF-8 text") from error
    joined = read_notebook(path, text)
    module = "\n".join(joined.parts)
    parsed = parse(module)
    mistakes = [*joined.mistakes, *([parsed] if isinstance(parsed, Mistake) else [])]
    return Source(
        path=path,
        text=module,
        tree=None if isinstance(parsed, Mistake) else parsed,
        mistakes=tuple(mistakes),
        cells=tuple(joined.cells),
        written="\n".join(joined.written),
    )


def _decoded(content: bytes) -> tuple[str, bool, str, Mistake | None]:
    """Return encoding, whether there is a mark, the text, and what keeps it from being decoded."""
    has_bom = content.startswith(_BOM.encode())
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        return "utf-8", has_bom, _forgiving(content), Mistake(1, 1, str(error.msg))
    try:
        return encoding, has_bom, content.decode(encoding).removeprefix(_BOM), None
    except UnicodeDecodeError as error:
        line = len(split_lines(content[: error.start].decode("latin-1")))
        said = f"byte {error.start} (0x{content[error.start]:02x}) is not {encoding} text"
        return encoding, has_bom, _forgiving(content), Mistake(line, 1, said)


def _forgiving(content: bytes) -> str:
    return content.decode("utf-8", "replace").removeprefix(_BOM)
