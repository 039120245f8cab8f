"""Objects with the same members, or columns of one length, as a table that can be sorted."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import Place, cut, is_number, is_scalar, pointer, scalar_text

MOST_ROWS = 200
_MOST_COLUMNS = 40
_CELL_CHARACTERS = 300
_COMMON_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Field:
    """One cell; `exact` is what it sorts by, empty where a row has no such member."""

    text: str
    exact: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by columns; `more` rows are left out. `place` is where the list is in the answer.

    `place` is None where there is no list to make a file of: a CSV answer is one already.
    """

    template: ClassVar[str] = "results/table.html.j2"
    is_plain: ClassVar[bool] = True
    columns: tuple[str, ...]
    rows: tuple[tuple[Field, ...], ...]
    more: int = 0
    place: Place | None = None

    @property
    def at(self) -> str:
        """Where the list stands, as a JSON pointer."""
        return pointer(self.place or ())


def detect(value: object, context: Context) -> Table | None:
    """Return a list of objects, or an object of lists, whose parts have no parts themselves."""
    found = _grid(value)
    if found is None or len(found[0]) > _MOST_COLUMNS:
        return None
    columns, rows = found
    cells = min(len(rows), MOST_ROWS) * len(columns)
    most = context.budget.take(cells, least=len(columns)) // len(columns)
    return Table(
        tuple(cut(each, _CELL_CHARACTERS) for each in columns),
        tuple(tuple(map(_field, row)) for row in rows[:most]),
        more=max(0, len(rows) - most),
        place=context.place,
    )


def table_of_texts(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> Table:
    """Return a table of what a CSV answer has; shorter rows are filled up."""
    width = min(max([len(columns), *map(len, rows[:MOST_ROWS])]), _MOST_COLUMNS)
    named = [*columns, *(str(number) for number in range(len(columns) + 1, width + 1))][:width]
    shown = (
        tuple(
            Field(cut(text, _CELL_CHARACTERS), text[:_CELL_CHARACTERS], _is_number_text(text))
            for text in [*row, *([""] * (width - len(row)))][:width]
        )
        for row in rows[:MOST_ROWS]
    )
    return Table(tuple(named), tuple(shown), more=max(0, len(rows) - MOST_ROWS))


def csv_of(value: object) -> bytes | None:
    """Return a list of objects, or an object of lists, as a CSV file; None where it is neither."""
    found = _grid(value)
    if found is None:
        return None
    columns, rows = found
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell_text(each) for each in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


_Grid = tuple[list[str], list[list[object]]]
_MISSING = object()


def _grid(value: object) -> _Grid | None:
    if isinstance(value, list):
        return _of_objects(value)
    return _of_columns(value) if isinstance(value, dict) else None


def _of_objects(value: list[object]) -> _Grid | None:
    counts: dict[str, int] = {}
    objects: list[dict[str, object]] = []
    for each in value:
        if not isinstance(each, dict) or not each or not all(map(is_scalar, each.values())):
            return None
        objects.append(each)
        for key in each:
            counts[key] = counts.get(key, 0) + 1
    if not objects or sum(counts.values()) < _COMMON_SHARE * len(counts) * len(objects):
        return None
    columns = list(counts)
    return columns, [[each.get(key, _MISSING) for key in columns] for each in objects]


def _of_columns(value: dict[str, object]) -> _Grid | None:
    lists = [each for each in value.values() if isinstance(each, list)]
    if len(lists) < 2 or len(lists) != len(value):
        return None
    size = len(lists[0])
    if size < 2 or any(len(each) != size for each in lists):
        return None
    if not all(is_scalar(item) for each in lists for item in each):
        return None
    return list(value), [list(row) for row in zip(*lists, strict=True)]


def _cell_text(value: object) -> str:
    return "" if value is _MISSING or value is None else scalar_text(value)


def _field(value: object) -> Field:
    if value is _MISSING:
        return Field("", "", is_number=False)
    text = scalar_text(value)
    return Field(cut(text, _CELL_CHARACTERS), text[:_CELL_CHARACTERS], is_number(value))


def _is_number_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
