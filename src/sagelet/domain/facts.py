"""What is known of a running endpoint: counted in memory, told when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """One worker's process, and the generation of code and model that it serves.

    `cpu_percent` is of one core, since it was sampled last; both are None where it has just come up
    or has just ended.
    """

    pid: int
    generation: int
    is_busy: bool
    cpu_percent: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class EditProblem:
    """Why an edit is not served: what was said, `file:line` of the user's code, the traceback."""

    text: str
    where: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """A variant as it serves. Times are in milliseconds, of the last 1,000 answers.

    `latency_ms` has "p50", "p90" and "p99" of the whole time in the daemon, `phases_ms` the median
    of each handler and of "queue"; both are empty before the first answer. `errors` counts answers
    of 400 or more and those that did not come; `differs` the answers that another contract would
    have given otherwise, by the difference's id. `problem` is of the last edit, while it is not
    served; `started_at` is when this generation went live.
    """

    variant: str
    generation: int
    contract: str
    is_parked: bool
    waiting: int
    workers: tuple[WorkerFacts, ...]
    requests: int = 0
    errors: int = 0
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    phases_ms: Mapping[str, float] = field(default_factory=dict)
    differs: Mapping[str, int] = field(default_factory=dict)
    problem: EditProblem | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """An endpoint as it serves; `port` is its container's own, where it has been opened."""

    endpoint: str
    variants: tuple[VariantFacts, ...]
    port: int | None
