"""Metric definitions against a host's log: the last value of each name.

An expression is the user's, so its time is bounded: the matching engine lets a timer's signal
interrupt it. This must therefore run in the main thread of a process of its own, the runner's.
"""

from __future__ import annotations

import re
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from sagelet.domain.training import MetricDefinition
from sagelet.worker.loglines import Record

BUDGET_S = 2.0
LINES = 200_000
"""How many lines are searched, from the end of a log back."""

LINE_CHARACTERS = 4096
REGEX_CHARACTERS = 500

Value = tuple[str, float, int]
"""A metric's name, its value, and the milliseconds since the epoch of the line it stood in."""


@dataclass(frozen=True, slots=True)
class Found:
    """The last value of each metric that was seen, and what to tell of those that were not."""

    values: tuple[Value, ...]
    warnings: tuple[str, ...]


class _TooSlow(Exception):
    """An expression used up its time."""


def last_values(
    definitions: Iterable[MetricDefinition], records: Iterable[Record], budget_s: float = BUDGET_S
) -> Found:
    """Return the last value of each metric in log records, each within its share of time."""
    lines = deque(((ms, message[:LINE_CHARACTERS]) for ms, message in records), maxlen=LINES)
    values: list[Value] = []
    warnings: list[str] = []
    for definition in definitions:
        try:
            with _at_most(budget_s):
                found = _last_value(definition, lines)
        except _TooSlow:
            warnings.append(
                f"metric {definition.name}: its expression took more than {budget_s:g} s; no value"
            )
            continue
        except re.error as error:
            warnings.append(f"metric {definition.name}: {error} in its expression")
            continue
        if found is None:
            warnings.append(f"metric {definition.name}: no line matched {definition.regex}")
        else:
            values.append(found)
    return Found(tuple(values), tuple(warnings))


def _last_value(definition: MetricDefinition, lines: deque[Record]) -> Value | None:
    """Search from the last line back; the last match of a line counts."""
    expression = re.compile(definition.regex[:REGEX_CHARACTERS])
    for ms, line in reversed(lines):
        numbers = [number for match in expression.finditer(line) for number in _number(match)]
        if numbers:
            return definition.name, numbers[-1], ms
    return None


def _number(match: re.Match[str]) -> Iterator[float]:
    """Yield the first group as a number, if it is one."""
    text = match.group(1) if match.re.groups else match.group()
    try:
        yield float(text or "")
    except ValueError:
        return


@contextmanager
def _at_most(budget_s: float) -> Iterator[None]:
    """Raise _TooSlow in the body once its time is up."""

    def too_slow(_number: int, _frame: FrameType | None) -> None:
        raise _TooSlow

    previous = signal.signal(signal.SIGALRM, too_slow)
    signal.setitimer(signal.ITIMER_REAL, budget_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
