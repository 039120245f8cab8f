"""What endpoints' variants did over time, as SageMaker publishes it to CloudWatch.

the last hour      ten seconds each, in memory
the last 24 hours  a minute each, also in endpoints/<ulid>/metrics.jsonl, so that a restart keeps it

A line is one variant's minute: {"t": ms, "v": variant, "m": {metric: [count, sum, least, greatest,
{bucket: count}]}}. Names and units:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sagelet.errors import SageletError
from sagelet.journal.appending import append_lines
from sagelet.journal.series import Sample
from sagelet.journal.spreads import Spread

log = logging.getLogger(__name__)

INVOCATIONS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
ENDPOINT = "EndpointName"
VARIANT = "VariantName"

SHORT_MS = 10_000
LONG_MS = 60_000
_SHORT_KEPT_MS = 3_600_000
_LONG_KEPT = 24 * 60
_FILE = "metrics.jsonl"
_FILE_BYTES = 8 * 2**20

Values: TypeAlias = Mapping[str, Sample]
"""A sample for each metric, by its name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric: its namespace and its unit."""

    namespace: str
    unit: str


KINDS: Mapping[str, Kind] = {
    "Invocations": Kind(INVOCATIONS, "None"),
    "Invocation4XXErrors": Kind(INVOCATIONS, "None"),
    "Invocation5XXErrors": Kind(INVOCATIONS, "None"),
    "InvocationModelErrors": Kind(INVOCATIONS, "None"),
    "ModelLatency": Kind(INVOCATIONS, "Microseconds"),
    "OverheadLatency": Kind(INVOCATIONS, "Microseconds"),
    "CPUUtilization": Kind(INSTANCES, "Percent"),
    "MemoryUtilization": Kind(INSTANCES, "Percent"),
}


@dataclass(slots=True)
class _Span:
    """What was measured from `ms` on. `is_fine`: also in ten seconds each, in memory."""

    ms: int
    values: dict[str, Sample]
    is_fine: bool = False

    def add(self, values: Values) -> None:
        for name, sample in values.items():
            before = self.values.get(name)
            self.values[name] = sample.moved(self.ms) if before is None else before + sample


class VariantMetrics:
    """One variant's metrics. Whoever measures adds in one thread; any may read."""

    def __init__(self, name: str, on_minute: Callable[[str, int, Values], None]) -> None:
        """Begin with none; `on_minute` gets what was measured in a minute, once that is over."""
        self._name = name
        self._on_minute = on_minute
        self._lock = threading.Lock()
        self._short: deque[_Span] = deque()
        self._long: deque[_Span] = deque(maxlen=_LONG_KEPT)
        self._minute: _Span | None = None

    def add(self, ms: int, values: Values) -> None:
        """Add what was measured since the last time; `ms` is about when that was."""
        self.end_minute(before_ms=ms - ms % LONG_MS)
        begin = ms - ms % SHORT_MS
        with self._lock:
            if not self._short or self._short[-1].ms != begin:
                self._short.append(_Span(begin, {}))
            if self._minute is None:
                self._minute = _Span(begin - begin % LONG_MS, {}, is_fine=True)
            self._short[-1].add(values)
            self._minute.add(values)
            self._forget(begin)

    def end_minute(self, before_ms: int | None = None) -> None:
        """Close the minute that was under way, if it began before a time."""
        with self._lock:
            minute = self._minute
            if minute is None or (before_ms is not None and minute.ms >= before_ms):
                return
            self._minute = None
            self._long.append(minute)
        self._on_minute(self._name, minute.ms, minute.values)

    def remember(self, ms: int, values: Values) -> None:
        """Take a minute that an earlier daemon has measured."""
        with self._lock:
            self._long.append(_Span(ms, dict(values)))

    def minutes(self) -> list[tuple[int, Values]]:
        """Return the minutes that are over."""
        with self._lock:
            return [(span.ms, span.values) for span in self._long]

    def samples(
        self, metric: str, start_ms: int = 0, end_ms: int | None = None
    ) -> Iterator[Sample]:
        """Return what there is of a metric from a time on, before another; the finest there is."""
        with self._lock:
            fine_ms = self._short[0].ms - self._short[0].ms % LONG_MS if self._short else None
            spans = [
                span
                for span in self._long
                if not span.is_fine or fine_ms is None or span.ms < fine_ms
            ]
            spans += self._short
            found = [(span.ms, span.values.get(metric)) for span in spans]
        for ms, sample in found:
            if sample is not None and ms >= start_ms and (end_ms is None or ms < end_ms):
                yield sample

    def names(self) -> frozenset[str]:
        """Return the metrics that have points."""
        with self._lock:
            spans = [*self._long, *self._short]
            return frozenset(name for span in spans for name in span.values)

    def _forget(self, now_ms: int) -> None:
        """Forget ten seconds each that are over an hour old, whole minutes at a time."""
        limit = now_ms - _SHORT_KEPT_MS
        limit -= limit % LONG_MS
        while self._short and self._short[0].ms < limit:
            self._short.popleft()


class EndpointSeries:
    """The metrics of one endpoint's variants, and the file that keeps them."""

    def __init__(self, file: Path) -> None:
        """Name the file; the first minute makes it."""
        self._file = file
        self._variants: dict[str, VariantMetrics] = {}
        self._due: list[bytes] = []
        self._lock = threading.Lock()

    def of(self, variant: str) -> VariantMetrics:
        """Return a variant's metrics."""
        with self._lock:
            found = self._variants.get(variant)
            if found is None:
                found = self._variants[variant] = VariantMetrics(variant, self._keep)
            return found

    def all(self) -> dict[str, VariantMetrics]:
        """Return the metrics of each variant."""
        with self._lock:
            return dict(self._variants)

    def end_minutes(self, before_ms: int | None) -> None:
        """Close the minutes that began before a time; all, where none is said."""
        for variant in self.all().values():
            variant.end_minute(before_ms)

    def read(self, since_ms: int) -> None:
        """Take what an earlier daemon has kept, from a time on."""
        try:
            lines = self._file.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            found = _decoded(line)
            if found is not None and found[1] >= since_ms:
                variant, ms, values = found
                self.of(variant).remember(ms, values)

    def write(self) -> None:
        """Write down the minutes that are over."""
        with self._lock:
            due, self._due = self._due, []
        if not due or not self._file.parent.is_dir():
            return  # nothing was measured, or the endpoint has just been deleted
        try:
            append_lines(self._file, b"".join(due))
            if self._file.stat().st_size > _FILE_BYTES:
                self._rewrite()
        except (OSError, SageletError) as error:
            log.warning("metrics of %s are not kept: %s", self._file.parent.name, error)

    def _rewrite(self) -> None:
        temporary = self._file.with_suffix(".new")
        minutes = (
            _encoded(name, ms, values)
            for name, variant in self.all().items()
            for ms, values in variant.minutes()
        )
        temporary.write_bytes(b"".join(minutes))
        temporary.replace(self._file)

    def _keep(self, variant: str, ms: int, values: Values) -> None:
        with self._lock:
            self._due.append(_encoded(variant, ms, values))


class EndpointMetrics:
    """The metrics of a host's endpoints, by name."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._endpoints: dict[str, EndpointSeries] = {}
        self.gather: Callable[[], None] = _nothing

    def open(self, endpoint: str, folder: Path) -> None:
        """Begin with an endpoint, or go on with what its folder has of the last day. It blocks."""
        if self.find(endpoint) is None:
            series = EndpointSeries(folder / _FILE)
            series.read(since_ms=int(time.time() * 1000) - _LONG_KEPT * LONG_MS)
            with self._lock:
                self._endpoints.setdefault(endpoint, series)

    def forget(self, endpoint: str) -> None:
        """Forget an endpoint that is deleted."""
        with self._lock:
            self._endpoints.pop(endpoint, None)

    def of(self, endpoint: str, variant: str) -> VariantMetrics:
        """Return a variant's metrics; those of an endpoint that was not opened are kept nowhere."""
        series = self.find(endpoint)
        return VariantMetrics(variant, _unkept) if series is None else series.of(variant)

    def find(self, endpoint: str) -> EndpointSeries | None:
        """Return what is known of an endpoint."""
        with self._lock:
            return self._endpoints.get(endpoint)

    def all(self) -> dict[str, EndpointSeries]:
        """Return what is known, by endpoint."""
        with self._lock:
            return dict(self._endpoints)


def _nothing() -> None:
    """Do nothing: nobody measures."""


def _unkept(_variant: str, _ms: int, _values: Values) -> None:
    """Keep nothing."""


def _encoded(variant: str, ms: int, values: Values) -> bytes:
    metrics = {name: _shown(sample) for name, sample in values.items()}
    text = json.dumps({"t": ms, "v": variant, "m": metrics}, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def _shown(sample: Sample) -> list[Any]:
    numbers = [sample.count, sample.total, sample.least, sample.greatest]
    return [*numbers, sample.buckets] if isinstance(sample, Spread) else numbers


def _decoded(line: bytes) -> tuple[str, int, Values] | None:
    """Read a line back; None for one that was not written whole."""
    try:
        raw = json.loads(line)
        values = {name: _read(raw["t"], numbers) for name, numbers in raw["m"].items()}
        return raw["v"], int(raw["t"]), values
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read(ms: int, numbers: Iterable[Any]) -> Sample:
    count, total, least, greatest, *spread = numbers
    if spread:
        buckets = {int(bucket): int(many) for bucket, many in spread[0].items()}
        return Spread(ms, greatest, count, total, least, greatest, buckets)
    return Sample(ms, greatest, count, total, least, greatest)
