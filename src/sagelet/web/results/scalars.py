"""A value without parts: a number large, a text as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import Exact, is_number, is_scalar, scalar_text

MOST_CHARACTERS = 64_000
_MOST_FIGURE = 400
_A_PIECE = 200
"""So many characters of a text weigh as much as an element of the page."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, a truth value or nothing; `unit` is what a number is counted in."""

    template: ClassVar[str] = "results/figure.html.j2"
    is_plain: ClassVar[bool] = True
    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `more` characters are left out."""

    template: ClassVar[str] = "results/text.html.j2"
    is_plain: ClassVar[bool] = True
    text: str
    more: int = 0


def detect(value: object, context: Context) -> Figure | Text | None:
    """Return a value without parts."""
    if not is_scalar(value):
        return None
    if isinstance(value, str):
        most = context.budget.take(len(value) // _A_PIECE + 1) * _A_PIECE
        return text_of(value, most)
    if is_number(value) or isinstance(value, bool | Exact) or value is None:
        text = scalar_text(value)
        unit = context.output.unit if is_number(value) else ""
        return Figure(text, unit) if len(text) <= _MOST_FIGURE else text_of(text)
    return None


def text_of(text: str, most: int = MOST_CHARACTERS) -> Text:
    """Return a text, as much of it as a page bears."""
    most = min(most, MOST_CHARACTERS)
    return Text(text[:most], more=max(0, len(text) - most))
