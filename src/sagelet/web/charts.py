"""Charts: tables of numbers over time, which `<metric-chart>` draws where scripts run.

`charts/_macros.html.j2` renders a Chart: its summary, and the table. Whoever renders one puts the
macro `head()` into the page's head, too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

LINES_AT_MOST = 16
"""More lines of one chart than this are told apart by nobody."""

_SUMMED_UP = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its label, and values by their times."""

    label: str
    points: Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened, drawn as a vertical line."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """What the lines were at a time; nothing where one has no value then."""

    at: datetime
    values: tuple[float | None, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The values as the table has them."""
        return tuple(number(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """A table with its title; `key` is its id in the page, `summary` a sentence on the whole."""

    key: str
    title: str
    unit: str
    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    summary: str
    markers: tuple[Marker, ...] = ()

    @property
    def has_days(self) -> bool:
        """Whether the time of day alone does not tell one row from another."""
        return bool(self.rows) and self.rows[0].at.date() != self.rows[-1].at.date()

    @property
    def marked(self) -> str:
        """The markers as the script reads them: JSON."""
        return json.dumps(
            [{"at": each.at.timestamp(), "label": each.label} for each in self.markers]
        )


def chart_of(
    title: str,
    lines: Sequence[Line],
    *,
    key: str,
    unit: str = "",
    markers: Sequence[Marker] = (),
    note: str = "",
) -> Chart:
    """Return the chart of some lines, whose values are put side by side where the times agree.

    `note` is a sentence on what the points are.
    """
    kept = [line for line in lines if line.points][:LINES_AT_MOST]
    columns = [dict(line.points) for line in kept]
    times = sorted(set().union(*columns))
    return Chart(
        key=key,
        title=title,
        unit=unit,
        labels=tuple(line.label or title for line in kept),
        rows=tuple(Row(at, tuple(column.get(at) for column in columns)) for at in times),
        summary=_summary(kept, unit, left_out=len(lines) - len(kept), note=note),
        markers=tuple(markers),
    )


def number(value: float | None) -> str:
    """Return a number as short as it can be read; what is none in words."""
    if value is None:
        return ""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return f"{value:.5g}"


def _summary(lines: Sequence[Line], unit: str, left_out: int, note: str) -> str:
    if not lines:
        return "No values yet."
    parts = [_of_line(line, unit) for line in lines[:_SUMMED_UP]]
    more = len(lines) + left_out - len(parts)
    told = "; ".join(parts) + (f"; and {more} more." if more else ".")
    return f"{told} {note}" if note else told


def _of_line(line: Line, unit: str) -> str:
    ending = f" {unit}" if unit else ""
    values = [value for _, value in line.points]
    finite = [value for value in values if math.isfinite(value)]
    begun = f"{line.label}: " if line.label else ""
    points = "1 point" if len(values) == 1 else f"{len(values)} points"
    last = f"{begun}{points}, last {number(values[-1])}{ending}"
    if not finite:
        return last
    return f"{last}, lowest {number(min(finite))}{ending}, highest {number(max(finite))}{ending}"
