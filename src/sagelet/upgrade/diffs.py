"""What an upgrade changes, as a unified diff; a notebook's cell by cell."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from sagelet.upgrade.rewriting import Upgraded
from sagelet.upgrade.sources import Source

_UNENDED = "\n\\ No newline at end of file"


def diff(source: Source, upgraded: Upgraded, name: str) -> str:
    """Return a diff of a script, or of each changed cell of a notebook; empty without changes."""
    return "".join(_lines(source, upgraded, name))


def _lines(source: Source, upgraded: Upgraded, name: str) -> Iterator[str]:
    if upgraded.cells is None or source.cells is None:
        yield from _unified(source.written, upgraded.text, name)
        return
    for cell, text in zip(source.cells, upgraded.cells, strict=True):
        before, after = (f"{each}\n" if each else "" for each in (cell.text, text))
        yield from _unified(before, after, f"{name}[cell {cell.number}]")


def _unified(before: str, after: str, name: str) -> Iterator[str]:
    for line in difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name
    ):
        yield line if line.endswith(("\n", "\r")) else f"{line}{_UNENDED}\n"
