"""A notebook's file with other cells: its outputs, its metadata and its way of writing are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

_INDENTED = re.compile(r"\A\s*\{\r?\n(?P<indent>[ \t]+)")


def with_cells(content: str, cells: Sequence[str]) -> str:
    """Return a notebook's content with the texts of its code cells; other cells stay."""
    document = json.loads(content)
    texts = iter(cells)
    for cell in _cells(document):
        if cell.get("cell_type") == "code":
            _write(cell, next(texts))
    written = _style_of(content)(document)
    tail = content[len(content.rstrip()) :]
    newline = "\r\n" if "\r\n" in content else "\n"
    return written.replace("\n", newline) + tail


def _style_of(content: str) -> Callable[[Any], str]:
    """Return what writes a document as it is written: gives the same text again, if it can."""
    indented = _INDENTED.match(content)
    indent = indented["indent"] if indented else None
    plain = (",", ": ") if indented else (", ", ": ")
    styles = [
        partial(json.dumps, indent=indent, ensure_ascii=ensured, separators=separators)
        for separators in (plain, (",", ":"))
        for ensured in (content.isascii(), not content.isascii())
    ]
    text = content.replace("\r\n", "\n").strip()
    document = json.loads(content)
    return next((each for each in styles if each(document) == text), styles[0])


def _cells(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = list(document.get("cells") or [])
    for sheet in document.get("worksheets") or []:
        found.extend(sheet.get("cells") or [])
    return found


def _write(cell: dict[str, Any], text: str) -> None:
    key = "source" if "source" in cell else "input"
    before = cell[key]
    if isinstance(before, str):
        cell[key] = text
    elif "".join(before) != text:
        cell[key] = text.splitlines(keepends=True)
