"""A small plot made of Braille signs, each of which is two dots wide and four high."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


def drawn(points: Sequence[tuple[float, float]], *, width: int = 64, height: int = 6) -> list[str]:
    """Return the lines of a plot of (x, y) pairs, in order of x, with the range of y beside it."""
    least, greatest = min(y for _, y in points), max(y for _, y in points)
    cells = [[0] * width for _ in range(height)]
    for column, row in _dots(points, 2 * width - 1, 4 * height - 1):
        cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
    labels = [number(greatest), *[""] * (height - 2), number(least)]
    margin = max(len(label) for label in labels)
    return [
        f"{label:>{margin}} ┤{''.join(chr(_BLANK | cell) for cell in row)}".rstrip(chr(_BLANK))
        for label, row in zip(labels, cells, strict=True)
    ]


def _dots(
    points: Sequence[tuple[float, float]], last_column: int, last_row: int
) -> set[tuple[int, int]]:
    """Return the dots of a line through the points, from the top left."""
    first_x, last_x = points[0][0], points[-1][0]
    least, greatest = min(y for _, y in points), max(y for _, y in points)
    placed = [
        (
            round((x - first_x) / ((last_x - first_x) or 1.0) * last_column),
            round(_share(y, least, greatest) * last_row),
        )
        for x, y in points
    ]
    dots = set(placed)
    for (from_column, from_row), (to_column, to_row) in pairwise(placed):
        steps = max(to_column - from_column, abs(to_row - from_row))
        for step in range(1, steps):
            column = from_column + round((to_column - from_column) * step / steps)
            dots.add((column, from_row + round((to_row - from_row) * step / steps)))
    return dots


def _share(y: float, least: float, greatest: float) -> float:
    """How far from the top a value is, from 0 to 1."""
    # Halved, for the whole range may be more than a number can be.
    span = greatest / 2 - least / 2
    return (greatest / 2 - y / 2) / span if span else 0.5


def number(value: float) -> str:
    """Return a number as short as it can be read."""
    return f"{value:.5g}"
