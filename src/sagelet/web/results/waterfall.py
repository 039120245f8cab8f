"""Where the time of a run went, one bar after the other: waiting, each handler, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.domain.invocation import Timing

_WIDTH = 100.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when it began and how long it took, in milliseconds, and the same of 100.

    `kind` is queue, handler or overhead.
    """

    name: str
    kind: str
    start_ms: float
    ms: float
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All steps; none where a run was not timed."""

    steps: tuple[Step, ...]
    total_ms: float


def waterfall(timing: Timing) -> Waterfall:
    """Return the steps of a run, one after the other. What no step took is overhead, shown last.

    Overhead is the way to the worker and back, and what we do ourselves.
    """
    told = [("queue", "queue", timing.queue_ms)]
    told += [(name, "handler", ms) for name, ms in timing.handlers_ms.items()]
    rest = timing.total_ms - sum(ms for _, _, ms in told)
    if timing.total_ms <= 0:
        return Waterfall((), 0.0)
    told.append(("overhead", "overhead", max(rest, 0.0)))
    whole = max(timing.total_ms, sum(ms for _, _, ms in told))
    steps: list[Step] = []
    at = 0.0
    for name, kind, ms in told:
        width = _WIDTH * ms / whole
        steps.append(Step(name, kind, at, ms, round(_WIDTH * at / whole, 3), round(width, 3)))
        at += ms
    return Waterfall(tuple(steps), timing.total_ms)
