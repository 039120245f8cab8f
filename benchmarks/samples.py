"""What windows of load yielded, and the figure that stands for several of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.machine import Spent
from benchmarks.wrk import Load

SAME_CORES = 0.1
"""Windows whose foreign load differs by less count as equally quiet."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One window of load, or the median of several.

    `cpu_us` is the server's CPU time a request, `root_us` that of its first process alone,
    `client_us` the load generator's.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    cpu_us: float
    root_us: float
    client_us: float
    foreign_cores: float

    @classmethod
    def of(cls, load: Load, spent: Spent) -> Sample:
        """Join what the client saw with what the machine spent."""
        requests = max(1, load.requests)
        return cls(
            per_second=load.per_second,
            p50_ms=load.p50_ms,
            p99_ms=load.p99_ms,
            failed=load.failed,
            cpu_us=1e6 * spent.tree_s / requests,
            root_us=1e6 * spent.root_s / requests,
            client_us=1e6 * spent.own_s / requests,
            foreign_cores=spent.foreign_cores,
        )


def quietest(samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples in which others used the machine least: half of them at least."""
    ordered = sorted(samples, key=lambda sample: sample.foreign_cores)
    calm = [
        sample
        for sample in ordered
        if sample.foreign_cores <= ordered[0].foreign_cores + SAME_CORES
    ]
    return ordered[: max(len(calm), (len(samples) + 1) // 2)]


def cell(samples: Sequence[Sample]) -> Sample:
    """Return the median of the quietest samples, figure by figure; failures are of all, summed."""
    chosen = quietest(samples)

    def median(of: Callable[[Sample], float]) -> float:
        return statistics.median(of(sample) for sample in chosen)

    return Sample(
        per_second=median(lambda sample: sample.per_second),
        p50_ms=median(lambda sample: sample.p50_ms),
        p99_ms=median(lambda sample: sample.p99_ms),
        failed=sum(sample.failed for sample in samples),
        cpu_us=median(lambda sample: sample.cpu_us),
        root_us=median(lambda sample: sample.root_us),
        client_us=median(lambda sample: sample.client_us),
        foreign_cores=median(lambda sample: sample.foreign_cores),
    )
