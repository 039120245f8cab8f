"""What the dashboard says of each endpoint and each job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sagelet.domain.facts import EndpointFacts
from sagelet.domain.seams import HostNote
from sagelet.web.job_hosts import host_names

SPARK_MINUTES = 30
SPARK_WIDTH = 100
SPARK_HEIGHT = 24
_LONGEST_PROBLEM = 160


@dataclass(frozen=True, slots=True)
class Trend:
    """How many requests came in each of the last minutes, the oldest first."""

    a_minute: Sequence[float]

    @property
    def now(self) -> float:
        """Return how many came in this minute."""
        return self.a_minute[-1] if self.a_minute else 0.0

    @property
    def label(self) -> str:
        """Return what the line shows, in words."""
        most = max(self.a_minute, default=0)
        return f"{self.now:.0f} requests in this minute, at most {most:.0f} in one"

    @property
    def points(self) -> str:
        """Return the line, as the points of an SVG; nothing where no request came."""
        most = max(self.a_minute, default=0)
        if most == 0:
            return ""
        step = SPARK_WIDTH / max(1, len(self.a_minute) - 1)
        return " ".join(
            f"{i * step:.1f},{(SPARK_HEIGHT - 1) * (1 - value / most) + 0.5:.1f}"
            for i, value in enumerate(self.a_minute)
        )


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint. What is None is not known, for it does not serve or nothing has come yet."""

    name: str
    status: str
    models: tuple[str, ...]
    workers: int | None
    busy: int
    is_parked: bool
    requests: int | None
    errors: int
    p50_ms: float | None
    p99_ms: float | None
    trend: Trend
    problem: str
    problem_at: datetime | None
    reloaded_at: datetime | None
    generation: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A training job, and what its metrics said last."""

    name: str
    status: str
    hosts: int
    metrics: tuple[tuple[str, float], ...]
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it ran, once it has ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


def endpoint_row(
    summary: Mapping[str, Any],
    facts: EndpointFacts | None,
    *,
    models: tuple[str, ...],
    trend: Trend,
    problem: HostNote | None,
) -> EndpointRow:
    """Return an endpoint of ListEndpoints with what its host knows."""
    variants = facts.variants if facts is not None else ()
    edits = [v.problem.text for v in variants if v.problem is not None]
    said = edits[0] if edits else (problem.text if problem is not None else "")
    latencies = [v.latency_ms for v in variants if v.latency_ms]
    workers = [worker for v in variants for worker in v.workers]
    starts = [v.started_at for v in variants if v.started_at is not None]
    return EndpointRow(
        name=summary["EndpointName"],
        status=summary["EndpointStatus"],
        models=models,
        workers=len(workers) if facts is not None else None,
        busy=sum(worker.is_busy for worker in workers),
        is_parked=bool(variants) and all(v.is_parked for v in variants),
        requests=sum(v.requests for v in variants) if facts is not None else None,
        errors=sum(v.errors for v in variants),
        # Of several variants the slowest is told: a mean of medians is nobody's latency.
        p50_ms=max((each["p50"] for each in latencies), default=None),
        p99_ms=max((each["p99"] for each in latencies), default=None),
        trend=trend,
        problem=_first_line(said),
        problem_at=problem.at if problem is not None and not edits else None,
        reloaded_at=max(starts, default=None),
        generation=max((v.generation for v in variants), default=0),
    )


def job_row(summary: Mapping[str, Any], description: Mapping[str, Any]) -> JobRow:
    """Return a job of ListTrainingJobs with what DescribeTrainingJob adds."""
    return JobRow(
        name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        hosts=len(host_names(description)),
        metrics=tuple(
            (each["MetricName"], each["Value"])
            for each in description.get("FinalMetricDataList", ())
        ),
        started_at=description.get("TrainingStartTime"),
        ended_at=description.get("TrainingEndTime"),
    )


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[: _LONGEST_PROBLEM - 1]}…"
