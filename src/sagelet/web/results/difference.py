"""What differs between two runs: their answers part by part, their bars, and their times."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

from sagelet.domain.calls import Call
from sagelet.domain.invocation import Timing
from sagelet.web.results.bars import Bars
from sagelet.web.results.chain import view_of
from sagelet.web.results.contents import read_document
from sagelet.web.results.context import View
from sagelet.web.results.inputs import NOTHING_SENT, sent_rows
from sagelet.web.results.rows import Rows
from sagelet.web.results.sections import Sections
from sagelet.web.results.values import (
    MOST_DEPTH,
    Document,
    Place,
    compact,
    finite,
    is_number,
    place_text,
)
from sagelet.web.runs import Run

MOST_CHANGES = 200
_MOST_BARS = 60
_MOST_COMPARED = 4 * 2**20
_MOST_DRAWN = 2**20
_MOST_LINES = 2000
_SHOWN_LINES = 200
_SHOWN_CHARACTERS = 200
_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs: `kind` is added, removed or changed; `by` is the step of a number."""

    place: str
    kind: str
    before: str
    after: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class BarChange:
    """A label's number before and after, None where it is missing; `by` is in percent points."""

    group: str
    label: str
    before: float | None
    after: float | None
    by: float

    @property
    def before_width(self) -> float:
        """The bar that it had, of 100."""
        return round(100 * min(max(self.before or 0.0, 0.0), 1.0), 3)

    @property
    def after_width(self) -> float:
        """The bar that it has, of 100."""
        return round(100 * min(max(self.after or 0.0, 0.0), 1.0), 3)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs. `lines` are a unified diff, where the answers are no JSON.

    `statuses` is given where they differ; `total_ms` is how much longer the second run took, None
    where one was not timed. `is_unknown`: one of the bodies was not kept.
    """

    first: str
    second: str
    is_same_payload: bool
    is_same: bool
    statuses: tuple[int, int] | None
    changes: tuple[Change, ...]
    more: int
    bars: tuple[BarChange, ...]
    lines: tuple[str, ...]
    total_ms: float | None
    generations: tuple[int, int] | None
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class _Side:
    """A run or a call of the history, as far as it is compared."""

    id: str
    sent: bytes | None
    sent_type: str | None
    status: int
    body: bytes | None
    content_type: str | None
    timing: Timing
    generation: int


def difference(a: Call | Run, b: Call | Run) -> Difference:
    """Return what `b` has otherwise than `a`."""
    one, other = _side(a), _side(b)
    changes, more, lines = _changes(one, other)
    is_timed = one.timing.total_ms > 0 and other.timing.total_ms > 0
    return Difference(
        first=one.id,
        second=other.id,
        is_same_payload=one.sent is not None and one.sent == other.sent,
        is_same=one.body == other.body and one.status == other.status,
        statuses=(one.status, other.status) if one.status != other.status else None,
        changes=changes,
        more=more,
        bars=_bar_changes(one, other),
        lines=lines,
        total_ms=other.timing.total_ms - one.timing.total_ms if is_timed else None,
        generations=(
            (one.generation, other.generation) if one.generation != other.generation else None
        ),
        is_unknown=one.body is None or other.body is None,
    )


def _side(of: Call | Run) -> _Side:
    if isinstance(of, Run):
        return _Side(
            of.id,
            of.payload.body,
            of.payload.content_type,
            of.status,
            of.body,
            of.content_type,
            of.timing,
            of.generation,
        )
    return _Side(
        of.id,
        of.body,
        of.content_type,
        of.status,
        of.answer_body,
        of.answer_content_type,
        of.timing,
        of.generation,
    )


_Found = tuple[tuple[Change, ...], int, tuple[str, ...]]


def _changes(one: _Side, other: _Side) -> _Found:
    if one.body is None or other.body is None or one.body == other.body:
        return (), 0, ()
    before, after = _document(one), _document(other)
    if before is not None and after is not None:
        found = list(islice(_between((), before.value, after.value, 0), 10 * MOST_CHANGES))
        return tuple(found[:MOST_CHANGES]), max(0, len(found) - MOST_CHANGES), ()
    return (), 0, _text_changes(one.body, other.body)


def _document(side: _Side) -> Document | None:
    if side.body is None or len(side.body) > _MOST_COMPARED:
        return None
    return read_document(side.body, side.content_type)


def _between(place: Place, before: object, after: object, depth: int) -> Iterator[Change]:
    if before is _MISSING:
        yield Change(place_text(place), "added", "", _text(after))
    elif after is _MISSING:
        yield Change(place_text(place), "removed", _text(before), "")
    elif isinstance(before, dict) and isinstance(after, dict) and depth < MOST_DEPTH:
        for key in [*before, *(key for key in after if key not in before)]:
            pair = before.get(key, _MISSING), after.get(key, _MISSING)
            yield from _between((*place, key), *pair, depth + 1)
    elif isinstance(before, list) and isinstance(after, list) and depth < MOST_DEPTH:
        for index, pair in enumerate(zip_longest(before, after, fillvalue=_MISSING)):
            yield from _between((*place, index), *pair, depth + 1)
    elif not _is_even(before, after):
        by = _step(before, after)
        yield Change(place_text(place), "changed", _text(before), _text(after), by)


def _is_even(before: object, after: object) -> bool:
    if is_number(before) and is_number(after):
        return before == after or (before != before and after != after)
    try:
        return type(before) is type(after) and before == after
    except RecursionError:
        return False


def _step(before: object, after: object) -> str:
    if not (is_number(before) and is_number(after) and finite(before) and finite(after)):
        return ""
    return f"{float(after) - float(before):+.3g}"


def _text(value: object) -> str:
    return compact(value, _SHOWN_CHARACTERS)


def _text_changes(one: bytes, other: bytes) -> tuple[str, ...]:
    try:
        before, after = one.decode().splitlines(), other.decode().splitlines()
    except UnicodeDecodeError:
        return (f"{len(one)} bytes became {len(other)}",)
    if max(len(before), len(after)) > _MOST_LINES:
        return (f"{len(before)} lines became {len(after)}",)
    found = difflib.unified_diff(
        [line[:_SHOWN_CHARACTERS] for line in before],
        [line[:_SHOWN_CHARACTERS] for line in after],
        "before",
        "after",
        lineterm="",
        n=2,
    )
    return tuple(islice(found, _SHOWN_LINES))


def _bar_changes(one: _Side, other: _Side) -> tuple[BarChange, ...]:
    before, after = _bars(one), _bars(other)
    if one.body == other.body:
        return ()
    found: list[BarChange] = []
    for key in [*after, *(key for key in before if key not in after)]:
        was, now = before.get(key), after.get(key)
        by = (now or 0.0) - (was or 0.0)
        if abs(by) > _EVEN or was is None or now is None:
            found.append(BarChange(key[0], key[1], was, now, 100 * by))
    return tuple(sorted(found, key=lambda each: -abs(each.by))[:_MOST_BARS])


def _bars(side: _Side) -> dict[tuple[str, str], float]:
    document = _document(side)
    is_large = side.body is None or len(side.body) > _MOST_DRAWN
    if document is None or is_large or not 100 <= side.status < 400:
        return {}
    sent = NOTHING_SENT if side.sent is None else sent_rows(side.sent, side.sent_type)
    return {
        (group, bar.label): bar.value
        for group, bars in _bars_in(view_of(document.value, sent), "")
        for bar in bars.all
        if not bars.softmax
    }


def _bars_in(view: View, group: str) -> Iterator[tuple[str, Bars]]:
    if isinstance(view, Bars):
        yield group, view
    elif isinstance(view, Rows):
        for card in view.cards:
            yield from _bars_in(card.view, f"{group}{card.number} ")
    elif isinstance(view, Sections):
        for section in view.sections:
            yield from _bars_in(section.view, group)


_MISSING = object()
