"""Samples that also know how their values are spread, so that percentiles can be told of them.

Values are counted in buckets whose bounds grow by a twentieth: a percentile is right to 5 %.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, expm1, log1p

from sagelet.journal.series import Sample

_FINENESS = 20
"""Buckets for each factor of e: their bounds grow by exp(1/20), about 5 %."""


@dataclass(frozen=True, slots=True)
class Spread(Sample):
    """Some values, none of them below 0; `buckets` has how many lie in each."""

    buckets: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of_values(cls, ms: int, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        buckets = Counter(map(int, [each * _FINENESS for each in map(log1p, values)]))
        return cls(
            ms, values[-1], float(len(values)), sum(values), min(values), max(values), buckets
        )

    def __add__(self, later: Sample) -> Spread:
        """Return both as one, at the time of the first."""
        buckets = dict(self.buckets)
        if isinstance(later, Spread):
            for bucket, count in later.buckets.items():
                buckets[bucket] = buckets.get(bucket, 0) + count
        return Spread(
            self.ms,
            later.last,
            self.count + later.count,
            self.total + later.total,
            min(self.least, later.least),
            max(self.greatest, later.greatest),
            buckets,
        )

    def moved(self, ms: int) -> Spread:
        """Return the same at another time."""
        return Spread(
            ms, self.last, self.count, self.total, self.least, self.greatest, self.buckets
        )

    def percentile(self, percent: float) -> float:
        """Return the value that at least so many of a hundred do not exceed, to 5 %."""
        wanted = max(1, ceil(self.count * percent / 100))
        if wanted >= self.count:
            return self.greatest  # which is known exactly
        seen = 0
        for bucket, count in sorted(self.buckets.items()):
            seen += count
            if seen >= wanted:
                middle = expm1((bucket + 0.5) / _FINENESS)
                return min(max(middle, self.least), self.greatest)
        return self.greatest
