"""Looking at a training job again and again until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sagelet.cli.jobs.log_lines import JobLog, Line
from sagelet.cli.jobs.points import Ask, MetricsReader, has_ended, names_of, reader_of
from sagelet.deploy.pace import Pace

_METRICS_EVERY_S = 1.0
_FRESH = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to see at one look: the job, the lines that are new, the latest metrics."""

    description: Mapping[str, Any]
    lines: tuple[Line, ...]
    latest: Mapping[str, float]
    has_ended: bool


_LOCAL_PACE = (0.05, 1.25, 0.4)
"""The first pause, its growth, and the longest: a short job is not kept waiting."""

_AWS_PACE = (1.0, 1.5, 5.0)
"""AWS limits how often it may be asked."""


def looks_at(
    ask: Ask, job: str, *, is_local: bool, with_metrics: bool = False, start_ms: int = 0
) -> Looks:
    """Return looks at a job, here or at AWS; `start_ms` leaves out older lines."""
    return Looks(
        ask,
        job,
        JobLog(ask, job, start_ms=start_ms, is_local=is_local),
        metrics=reader_of(ask, is_local=is_local) if with_metrics else None,
        pace=Pace(*_LOCAL_PACE) if is_local else Pace(*_AWS_PACE),
    )


class Looks:
    """Looks at one job; iterating ends with the look at which it had ended."""

    def __init__(
        self,
        ask: Ask,
        job: str,
        log: JobLog,
        *,
        metrics: MetricsReader | None = None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what makes the calls; without `metrics` none are asked for."""
        self._ask = ask
        self._job = job
        self._log = log
        self._metrics = metrics
        self._pace = pace or Pace(*_LOCAL_PACE)
        self._now = now
        self._asked_metrics_at = 0.0
        self._latest: dict[str, tuple[datetime, float]] = {}

    def __iter__(self) -> Iterator[Look]:
        """Yield a look at a time."""
        while True:
            # Before the log, so that the log of a job that had ended is whole.
            description = self._ask("sagemaker", "DescribeTrainingJob", TrainingJobName=self._job)
            ended = has_ended(description)
            lines = tuple(self._log.look(is_last=ended))
            yield Look(description, lines, self._latest_metrics(description), ended)
            if ended:
                return
            self._pace.wait()

    def _latest_metrics(self, description: Mapping[str, Any]) -> dict[str, float]:
        if self._metrics is not None and names_of(description):
            every_s = max(_METRICS_EVERY_S, self._metrics.period_s / 4)
            if self._now() - self._asked_metrics_at >= every_s:
                self._asked_metrics_at = self._now()
                self._ask_metrics(self._metrics, description)
        return {name: value for name, (_, value) in self._latest.items()}

    def _ask_metrics(self, metrics: MetricsReader, description: Mapping[str, Any]) -> None:
        newest = max((at for at, _ in self._latest.values()), default=None)
        since = newest - _FRESH if newest else None
        for curve in metrics.curves(description, since=since):
            at, value = curve.points[-1].at, curve.last
            before = self._latest.get(curve.metric)
            if before is None or at >= before[0]:
                self._latest[curve.metric] = (at, value)
