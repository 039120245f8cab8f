"""A job's metrics: its definitions against every line of every host's log, while the job runs.

    logs ── LogReader, a turn at a time ──> Expression ──> JobMetrics, the journal ──> CloudWatch
                                                  └──> the last value of each name

A log can grow faster than it can be searched, and nothing here may hold the job up: a turn has a
limit, and a log that is too far ahead is read on from near its end. The log then says so.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagelet.domain.training import MetricDefinition
from sagelet.errors import SageletError
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.series import Sample, folded, summed
from sagelet.training.hostlog import HostLog
from sagelet.training.metric_expressions import Expression, Point, Timer, TooSlow
from sagelet.training.metric_lines import BATCH_BYTES, LogReader, Place
from sagelet.training.metric_progress import Progress

_MIB = 2**20
BURST = 1000
"""So many points of one metric in a batch are kept one by one; of more, what a second's were."""

BURST_SPAN_MS = 1000

Value = tuple[str, float, int]
"""A metric's name, its value, and the milliseconds since the epoch of the line it stood in."""

_Samples = defaultdict[tuple[str, int], list[Sample]]
"""What a turn found, by host and the number of the name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be spent on matching.

    `expression_s` is the processor's time for one expression on one batch, 64 KiB of a log.
    A log that is more than `ahead_bytes` ahead after a turn is read on `kept_bytes` from its end,
    and after the last turn `last_kept_bytes` from its end.
    """

    turn_s: float = 0.25
    last_turn_s: float = 5.0
    expression_s: float = 0.25
    ahead_bytes: int = 64 * _MIB
    kept_bytes: int = 8 * _MIB
    last_kept_bytes: int = _MIB


@dataclass(frozen=True, slots=True)
class Found:
    """The last value of each metric that was seen, and what to tell of those that were not."""

    values: tuple[Value, ...]
    warnings: tuple[str, ...]


class MetricsMatcher:
    """Matches the metrics of one job. It must live in the main thread of a process of its own."""

    def __init__(
        self,
        definitions: Sequence[MetricDefinition],
        logs: Mapping[str, HostLog],
        folder: Path,
        *,
        limits: Limits | None = None,
    ) -> None:
        """Take the hosts' logs and the folder of the job's metrics; go on from what is in it."""
        self._definitions = tuple(definitions)
        self._names = list(dict.fromkeys(definition.name for definition in definitions))
        self._logs = dict(logs)
        self._limits = limits or Limits()
        self._journal = JobMetrics(folder)
        self._timer = Timer() if self._definitions else None
        self._progress = Progress()
        self._expressions: dict[int, Expression] = {}
        self._readers: dict[str, LogReader] = {}
        self._warnings: list[str] = []
        if self._timer is not None:
            self._progress = Progress.of(self._journal.read_matched())
            self._readers = {
                host: LogReader(log.path, self._progress.places.get(host, Place()))
                for host, log in self._logs.items()
            }
            self._safely(lambda: self._journal.name(self._names))
            self._safely(self._cut)
            self._compile(self._timer)

    def catch_up(self) -> None:
        """Match what the logs have grown by, for a moment at most; it raises nothing."""
        if self._timer is not None:
            self._safely(self._usual_turn)

    def close(self) -> Found:
        """Match the rest, and sum up; it raises nothing either."""
        if self._timer is None:
            return Found((), ())
        self._safely(self._last_turn)
        self._timer.close()
        last = self._progress.last
        values = tuple((name, last[name][1], last[name][0]) for name in self._names if name in last)
        return Found(values, (*self._warnings, *self._untold()))

    def _cut(self) -> None:
        """Forget the points that a runner wrote just before it died: their lines come again."""
        for host in self._logs:
            sizes = self._progress.sizes.get(host, {})
            for index in range(len(self._names)):
                self._journal.series(host, index).cut(sizes.get(index, 0))

    def _compile(self, timer: Timer) -> None:
        """Read the expressions; one that is none is switched off."""
        for number, definition in enumerate(self._definitions):
            if number in self._progress.off:
                continue
            try:
                expression = Expression(definition.regex, timer, self._limits.expression_s)
            except (re.error, TooSlow) as error:
                why = f"{error} in its expression" if str(error) else "it takes too long to read"
                self._switch_off(next(iter(self._logs)), number, why)
                continue
            expression.has_matched = number in self._progress.matched
            expression.no_number = self._progress.no_number.get(number, "")
            self._expressions[number] = expression

    def _usual_turn(self) -> None:
        for host in self._turn(self._limits.turn_s):
            if self._readers[host].backlog_bytes() > self._limits.ahead_bytes:
                self._pass_over(host, self._limits.kept_bytes)

    def _last_turn(self) -> None:
        unread = self._turn(self._limits.last_turn_s)
        for host in unread:
            self._pass_over(host, self._limits.last_kept_bytes)
        if unread:
            self._turn(self._limits.last_turn_s)

    def _turn(self, time_s: float) -> list[str]:
        """Read the logs in turn until all are read or the time is up; return the unread ones."""
        deadline = time.monotonic() + time_s
        found: _Samples = defaultdict(list)
        unread = list(self._readers)
        while unread:
            unread = [host for host in unread if self._match_batch(host, found)]
            if time.monotonic() >= deadline:
                break
        self._keep(found)
        return unread

    def _match_batch(self, host: str, found: _Samples) -> bool:
        """Search the next lines of a log; False where there are none."""
        lines = self._readers[host].batch()
        for number, expression in list(self._expressions.items()):
            points: list[Point] = []
            try:
                expression.find(lines, points)
            except TooSlow:
                self._switch_off(
                    host,
                    number,
                    f"its expression took more than {self._limits.expression_s:g} s for "
                    f"{BATCH_BYTES // 1024} KiB of the log",
                )
            if points:
                name = self._definitions[number].name
                self._remember_last(name, points)
                samples = found[host, self._names.index(name)]
                samples += _samples(points)
                if len(samples) > BURST:
                    samples[:] = folded(samples, BURST_SPAN_MS)
        return bool(lines)

    def _remember_last(self, name: str, points: Sequence[Point]) -> None:
        newest = max(reversed(points), key=lambda point: point[0])
        before = self._progress.last.get(name)
        if before is None or newest[0] >= before[0]:
            self._progress.last[name] = newest

    def _keep(self, found: _Samples) -> None:
        """Write down what a turn found, and how far it came; fold what is full."""
        places = {host: reader.place for host, reader in self._readers.items()}
        if places == self._progress.places:
            return
        for (host, index), samples in found.items():
            self._journal.series(host, index).append(samples)
        self._progress.places = places
        self._note_expressions()
        self._note_sizes(found)
        full = [key for key in found if self._journal.series(*key).is_full]
        for host, index in full:
            self._journal.series(host, index).fold()
        if full:
            self._note_sizes(full)

    def _note_expressions(self) -> None:
        for number, expression in self._expressions.items():
            if expression.has_matched:
                self._progress.matched.add(number)
            if expression.no_number:
                self._progress.no_number[number] = expression.no_number

    def _note_sizes(self, written: Iterable[tuple[str, int]]) -> None:
        for host, index in written:
            size_bytes = self._journal.series(host, index).size_bytes
            self._progress.sizes.setdefault(host, {})[index] = size_bytes
        self._journal.write_matched(self._progress.document())

    def _switch_off(self, host: str, number: int, why: str) -> None:
        """Search for a metric no longer, and say so in a log."""
        self._expressions.pop(number, None)
        self._progress.off.add(number)
        name = self._definitions[number].name
        self._logs[host].say(f"WARNING: metric {name}: {why}; it is switched off")

    def _pass_over(self, host: str, kept_bytes: int) -> None:
        """Go on near the end of a log that is too far ahead, and say so the first time."""
        passed = self._readers[host].skip(kept_bytes)
        before = self._progress.passed_over_bytes.get(host, 0)
        self._progress.passed_over_bytes[host] = before + passed
        if passed and not before:
            self._logs[host].say(
                "WARNING: metrics: this log grows faster than it can be searched; "
                "parts of it are passed over"
            )

    def _untold(self) -> Iterator[str]:
        """Say what there is nothing to show for."""
        for number, expression in self._expressions.items():
            definition = self._definitions[number]
            if expression.no_number:
                yield (
                    f"metric {definition.name}: {definition.regex} captured "
                    f"{expression.no_number!r}, which is no finite number"
                )
            elif not expression.has_matched:
                yield f"metric {definition.name}: no line matched {definition.regex}"
        for host, passed in self._progress.passed_over_bytes.items():
            if passed:
                yield f"metrics: {passed / _MIB:.0f} MiB of the log of {host} were passed over"

    def _safely(self, step: Callable[[], None]) -> None:
        """Do a step; a job does not fail for want of its metrics, on a full disk say."""
        try:
            step()
        except (OSError, SageletError) as error:
            if not self._warnings:
                self._warnings.append(f"metrics were lost: {error}")


def _samples(points: Sequence[Point]) -> list[Sample]:
    if len(points) > BURST:
        return summed(points, BURST_SPAN_MS)
    return [Sample.of(ms, value) for ms, value in points]
