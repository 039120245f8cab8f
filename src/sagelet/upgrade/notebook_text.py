"""A notebook's file with other cells: its outputs, its metadata and its way of writing are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_INDENTED = re.compile(r"\A\s*\{\r?\n(?P<indent>[ \t]+)")


def with_cells(content: str, cells: Sequence[str]) -> str:
    """Return a notebook's content with the texts of its code cells; other cells stay."""
    document = json.loads(content)
    texts = iter(cells)
    for cell in _cells(document):
        if cell.get("cell_type") == "code":
            _write(cell, next(texts))
    indented = _INDENTED.match(content)
    written = json.dumps(
        document,
        indent=indented["indent"] if indented else None,
        ensure_ascii=content.isascii(),
        separators=(",", ": ") if indented else None,
    )
    tail = content[len(content.rstrip()) :]
    newline = "\r\n" if "\r\n" in content else "\n"
    return written.replace("\n", newline) + tail


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
