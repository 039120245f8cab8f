"""Several results, each beside the input that it is of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from sagelet.web.results.context import Context, View
from sagelet.web.results.inputs import Row, row_of
from sagelet.web.results.matrix import shape_of
from sagelet.web.results.tree import Tree
from sagelet.web.results.values import cut, is_number, is_scalar, scalar_text

_MOST_CARDS = 50
_MOST_PAIRS = 200
_CELL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Card:
    """One result, and its input where that is known."""

    number: int
    sent: Row | None
    view: View


@dataclass(frozen=True, slots=True)
class Rows:
    """One card a result; `more` results are left out."""

    template: ClassVar[str] = "results/rows.html.j2"
    cards: tuple[Card, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """An input, and the number or the text that came back."""

    number: int
    sent: Row
    text: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class PairTable:
    """One line a result; `more` results are left out. `unit` is what they are counted in."""

    template: ClassVar[str] = "results/pairs.html.j2"
    pairs: tuple[Pair, ...]
    more: int = 0
    unit: str = ""


def detect(value: object, context: Context) -> Rows | PairTable | None:
    """Return a list whose items belong to the inputs, or are rich enough for a card each."""
    if not isinstance(value, list) or not value or not context.may_be_rows:
        return None
    inputs = context.sent.matching(len(value))
    if inputs is not None and all(map(is_scalar, value)):
        return _pairs(value, inputs, context.output.unit)
    if any(map(is_scalar, value)) or (inputs is None and _are_numbers(value, context)):
        return None
    before = replace(context.budget)
    shown = value[:_MOST_CARDS]
    sent = [None] * len(shown) if inputs is None else [row_of(i) for i in inputs[: len(shown)]]
    texts = [row.text if row is not None else None for row in sent]
    views = [
        context.look(each, context.of_row(number, text))
        for number, (each, text) in enumerate(zip(shown, texts, strict=True))
    ]
    if inputs is None and all(_is_plain(each) for each in views):
        context.budget.give_back(before)
        return None
    cards = (Card(*each) for each in zip(range(1, len(shown) + 1), sent, views, strict=True))
    return Rows(tuple(cards), more=len(value) - len(shown))


def _are_numbers(value: list[object], context: Context) -> bool:
    """Say whether a value is a matrix, rather than a row of named numbers for each input."""
    shape = shape_of(value)
    return shape is not None and (len(shape) != 2 or shape[1] != len(context.output.labels))


def _is_plain(view: View) -> bool:
    """Say whether a view adds nothing to a table or a tree of all results."""
    return isinstance(view, Tree) or getattr(view, "is_plain", False)


def _pairs(value: list[object], inputs: tuple[object, ...], unit: str) -> PairTable:
    pairs = (
        Pair(number, row_of(sent), cut(scalar_text(each), _CELL_CHARACTERS), is_number(each))
        for number, (sent, each) in enumerate(
            zip(inputs[:_MOST_PAIRS], value[:_MOST_PAIRS], strict=True), start=1
        )
    )
    return PairTable(tuple(pairs), more=max(0, len(value) - _MOST_PAIRS), unit=unit)
