"""The few pieces of Markdown that generated pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown on one line."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: str) -> str:
    """Return text as inline code."""
    return f"`{text}`"


def paragraph(text: str) -> str:
    """Return a docstring's paragraph on one line."""
    return " ".join(text.split())


def first_paragraph(docstring: str | None) -> str:
    """Return what a docstring says before its first empty line."""
    return paragraph(re.split(r"\n\s*\n", (docstring or "").strip(), maxsplit=1)[0])


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")
