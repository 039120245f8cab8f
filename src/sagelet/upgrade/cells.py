"""A notebook's cells as one module, and back: each cell behind a mark, each magic behind a name."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from sagelet.upgrade.codemods.module_level import MARKER
from sagelet.upgrade.lexing import split_lines
from sagelet.upgrade.notebooks import Cell, commented, mistake_in, without_magics
from sagelet.upgrade.sources import Source

_MAGIC = re.compile(r"[ \t]*__magic_(\d+)_(\d+)__")


def joined(source: Source) -> str:
    """Return a notebook's cells as one module."""
    parts = []
    for cell in source.cells or ():
        text, _ = _plain(cell)
        parts.append(f"__cell_{cell.number}__\n{text}".rstrip("\n") + "\n")
    return "".join(parts)


def place(source: Source, line: int) -> tuple[int | None, int]:
    """Return the cell and the line in it, of a line of a source as it was joined."""
    if source.cells is None:
        return None, line
    before = joined(source).split("\n")[:line]
    marks = [
        (index, found) for index, each in enumerate(before) if (found := MARKER.fullmatch(each))
    ]
    index, mark = marks[-1]
    return int(mark[1]), max(len(before) - index - 1, 1)


def split(text: str, source: Source) -> tuple[str, ...]:
    """Return the cells of a module that was made by `joined`, and rewritten since."""
    found: dict[int, list[str]] = {}
    current: list[str] = []
    for line in text.split("\n"):
        marker = MARKER.fullmatch(line.strip())
        if marker is not None:
            current = found.setdefault(int(marker[1]), [])
        else:
            current.append(line)
    return tuple(_restored(cell, found.get(cell.number, [])) for cell in source.cells or ())


def _restored(cell: Cell, lines: list[str]) -> str:
    plain, magics = _plain(cell)
    text = "\n".join(lines).strip("\n")
    if text == plain.strip("\n"):
        return cell.text
    restored = []
    for line in text.split("\n"):
        magic = _MAGIC.fullmatch(line)
        restored.append(line if magic is None else _indented(magics[int(magic[2])], line))
    return "\n".join(restored)


def _indented(magic: str, line: str) -> str:
    """Return a magic as deep as the line is now that stood for it."""
    deeper = len(line) - len(line.lstrip()) - (len(magic) - len(magic.lstrip()))
    return textwrap.indent(magic, " " * deeper) if deeper > 0 else magic


def _plain(cell: Cell) -> tuple[str, list[str]]:
    """Return a cell with names in place of its magics, and these in their order."""
    plain = without_magics(cell.text)
    magics: list[str] = []
    if mistake_in(plain) is not None or _is_commented(cell.text, plain):
        return f"__magic_{cell.number}_0__", [cell.text]
    lines = []
    for was, line in zip(split_lines(cell.text), split_lines(plain), strict=False):
        if was == line:
            lines.append(line)
        elif line:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}__magic_{cell.number}_{len(magics)}__")
            magics.append(was)
        else:
            magics[-1] += f"\n{was}"
    return "\n".join(lines), magics


def _is_commented(text: str, plain: str) -> bool:
    """Whether a cell that is not Python's was put out of the way as a whole."""
    return plain != text and all(
        line.startswith("#") for line in split_lines(plain) if line.strip()
    )


def as_script(cells: Sequence[str]) -> str:
    """Return a notebook's cells as one script, with its magics as comments."""
    parts = [_without_magics(text).strip("\n") for text in cells if text.strip()]
    return "\n\n\n".join(parts) + "\n"


def _without_magics(text: str) -> str:
    plain = without_magics(text)
    if mistake_in(plain) is not None:
        plain = commented(text)
    pairs = zip(split_lines(text), split_lines(plain), strict=False)
    return "\n".join(line if line == was else _told(was, line) for was, line in pairs)


def _told(was: str, line: str) -> str:
    """Return a magic as a comment, behind what a block or a name needs in its place."""
    needed = line.strip() and (line[:1].isspace() or line != "pass")
    return f"{line}  # {was.strip()}" if needed and not line.startswith("#") else f"# {was}"
