"""Numbers in rows and columns: a heat map where they are few, else their shape and their range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import Place, finite, is_number, number_text, pointer

MOST_SIDE = 64
"""A matrix of at most so many rows and columns is shown number by number."""

STEPS = 8
_MOST_DIMENSIONS = 8
_FIRST = 16


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, short and exact. `heat` is 1 to 8 from the least to the most; 0 is no number."""

    text: str
    exact: str
    heat: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """All numbers, row by row. `place` is where they stand in the answer."""

    template: ClassVar[str] = "results/matrix.html.j2"
    rows: tuple[tuple[Cell, ...], ...]
    facts: Numbers
    place: Place

    @property
    def at(self) -> str:
        """Where the numbers stand, as a JSON pointer."""
        return pointer(self.place)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is told of many numbers. `odd` are NaN and infinities, which the rest leaves out."""

    shape: tuple[int, ...]
    least: str
    most: str
    mean: str
    odd: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Too many numbers, or too many dimensions, to show each."""

    template: ClassVar[str] = "results/numbers.html.j2"
    facts: Numbers
    first: tuple[str, ...]
    place: Place

    @property
    def at(self) -> str:
        """Where the numbers stand, as a JSON pointer."""
        return pointer(self.place)


def detect(value: object, context: Context) -> Matrix | Summary | None:
    """Return numbers in a regular shape; two or more of them."""
    shape = shape_of(value)
    if shape is None:
        return None
    numbers = flat(value)
    if len(numbers) < 2:
        return None
    facts = _facts(numbers, shape)
    is_small = len(shape) <= 2 and max(shape) <= MOST_SIDE
    if not is_small or len(numbers) > max(context.budget.elements, MOST_SIDE):
        first = tuple(number_text(each) for each in numbers[:_FIRST])
        return Summary(facts, first, context.place)
    context.budget.take(len(numbers))
    width = shape[-1]
    rows = [numbers[at : at + width] for at in range(0, len(numbers), width)]
    usable = _usable(numbers)
    low, high = (min(usable), max(usable)) if usable else (0.0, 0.0)
    shown = tuple(tuple(_cell(each, low, high) for each in row) for row in rows)
    return Matrix(shown, facts, context.place)


def shape_of(value: object) -> tuple[int, ...] | None:
    """Return the shape of nested lists of numbers; None where they are not regular, or empty."""
    shape: list[int] = []
    level = [value]
    while isinstance(level[0], list):
        size = len(level[0])
        if not size or len(shape) == _MOST_DIMENSIONS:
            return None
        if not all(isinstance(each, list) and len(each) == size for each in level):
            return None
        shape.append(size)
        level = [item for each in level if isinstance(each, list) for item in each]
    return tuple(shape) if shape and all(map(is_number, level)) else None


def flat(value: object) -> list[int | float]:
    """Return the numbers of nested lists of one depth, in order."""
    level = [value]
    while level and isinstance(level[0], list):
        level = [item for each in level if isinstance(each, list) for item in each]
    return [each for each in level if is_number(each)]


def _facts(numbers: list[int | float], shape: tuple[int, ...]) -> Numbers:
    usable = _usable(numbers)
    odd = len(numbers) - len(usable)
    if not usable:
        return Numbers(shape, "", "", "", odd)
    try:
        mean = math.fsum(usable) / len(usable)
    except OverflowError:
        mean = math.fsum(each / len(usable) for each in usable)
    return Numbers(shape, f"{min(usable):.6g}", f"{max(usable):.6g}", f"{mean:.6g}", odd)


def _usable(numbers: list[int | float]) -> list[float]:
    try:
        return [float(each) for each in numbers if math.isfinite(each)]
    except OverflowError:
        return [float(each) for each in numbers if finite(each)]


def _cell(number: float, low: float, high: float) -> Cell:
    exact = number_text(number)
    short = exact if len(exact) <= 6 else f"{number:.3g}" if finite(number) else exact[:12]
    if not finite(number):
        return Cell(short, exact, 0)
    span = high / 2 - low / 2  # halves, for the whole may be more than a float can hold
    share = (number / 2 - low / 2) / span if span else 0.5
    return Cell(short, exact, 1 + min(int(share * STEPS), STEPS - 1))
