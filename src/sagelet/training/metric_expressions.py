"""A metric's expression against log lines, within a bound on its time.

An expression is the user's, and may take for ever: the matching engine lets a timer's signal
interrupt it. So this must run in the main thread of a process of its own, the runner's. The timer
counts the process's own time, so that a busy machine switches nothing off.
"""

from __future__ import annotations

import contextlib
import math
import re
import signal
from collections.abc import Iterable, Iterator
from types import FrameType

from sagelet.worker.loglines import Record

REGEX_CHARACTERS = 500
_SHOWN_CHARACTERS = 40

Point = tuple[int, float]
"""Milliseconds since the epoch, and the value."""


class TooSlow(Exception):
    """An expression used up its time."""


class Timer:
    """Interrupts what takes too long. One at a time, in the main thread."""

    def __init__(self) -> None:
        """Take SIGVTALRM over."""
        self._is_running = False
        self._before = signal.signal(signal.SIGVTALRM, self._ring)

    def close(self) -> None:
        """Give SIGVTALRM back."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self._before)

    @contextlib.contextmanager
    def at_most(self, time_s: float) -> Iterator[None]:
        """Raise TooSlow in the body once it has used so much of the processor's time."""
        self._is_running = True
        signal.setitimer(signal.ITIMER_VIRTUAL, time_s)
        try:
            yield
        finally:
            self._is_running = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_running:
            raise TooSlow


class Expression:
    """A compiled expression, and what it found so far beside the points."""

    def __init__(self, regex: str, timer: Timer, time_s: float) -> None:
        """Compile it; `time_s` is for compiling, and then for each search.

        Raises:
            re.error: it is none.
            TooSlow: it takes too long to compile.
        """
        self.has_matched = False
        self.no_number = ""
        """What it first captured that is no finite number."""
        self._timer = timer
        self._time_s = time_s
        with timer.at_most(time_s):
            self._pattern = _compiled(regex[:REGEX_CHARACTERS])
        self._group = 1 if self._pattern.groups else 0

    def find(self, lines: Iterable[Record], points: list[Point]) -> None:
        """Add the points in some lines to `points`: every match whose first group is a number.

        Raises:
            TooSlow: it took too long; what it had found by then was added.
        """
        with self._timer.at_most(self._time_s):
            matches = self._pattern.finditer
            for ms, line in lines:
                for match in matches(line):
                    self._take(ms, match, points)

    def _take(self, ms: int, match: re.Match[str], points: list[Point]) -> None:
        self.has_matched = True
        text = match.group(self._group) or ""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            points.append((ms, value))
        elif not self.no_number:
            self.no_number = text[:_SHOWN_CHARACTERS] or "nothing"


def _compiled(regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except (OverflowError, RecursionError) as error:
        raise re.error(str(error)) from error
