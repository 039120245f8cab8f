"""Metrics on disk: those that scripts and people put, and where those of training jobs are.

$SAGELET_HOME/metrics/<hash>.json     a metric: namespace, name, dimensions, unit
$SAGELET_HOME/metrics/<hash>.csv      its points (see `series`)
$SAGELET_HOME/jobs/<ulid>/metrics/    a job's own (see `job_metrics`), written by its runner
$SAGELET_HOME/endpoints/<ulid>/       an endpoint's own (see `endpoint_metrics`)
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sagelet.domain.home import Home
from sagelet.journal.appending import make_folder
from sagelet.journal.endpoint_metrics import EndpointMetrics
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.series import Sample, Series

METRICS_AT_MOST = 1000
KEPT_BYTES = 128 * 1024
"""How much is kept of a metric before it is folded: about 5000 single values."""

Dimensions = tuple[tuple[str, str], ...]
"""Names and values, in order of their names."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What identifies a metric."""

    namespace: str
    name: str
    dimensions: Dimensions = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        """Return the metric of some dimensions, in whatever order they came."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric in one unit."""

    metric: Metric
    unit: str

    @property
    def file_stem(self) -> str:
        """The name of its files: what may stand in a metric's name is too much for a file's."""
        text = json.dumps([*asdict(self.metric).values(), self.unit])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class MetricStore:
    """The metrics of one home. One process puts; the runners of jobs write their own.

    `endpoints` are measured by the daemon's host.
    """

    def __init__(self, home: Home) -> None:
        """Name the places; the first put makes a folder."""
        self.endpoints = EndpointMetrics()
        self._home = home
        self._lock = threading.Lock()
        self._known: dict[Measured, Series] = {}
        self._is_read = False

    def of_job(self, ulid: str) -> JobMetrics:
        """Return the metrics that a training job's runner matched."""
        return JobMetrics(self._home.job(ulid) / "metrics")

    def put(self, points: Iterable[tuple[Measured, Sample]]) -> bool:
        """Add samples to metrics; False, and nothing is added, where there are too many metrics.

        Raises:
            DiskFull: no space is left.
            StateError: the folder cannot be written to.
            OSError: a file cannot be written.
        """
        by_metric: dict[Measured, list[Sample]] = {}
        for measured, sample in points:
            by_metric.setdefault(measured, []).append(sample)
        with self._lock:
            self._read()
            fresh = by_metric.keys() - self._known.keys()
            if len(self._known) + len(fresh) > METRICS_AT_MOST:
                return False
            for measured in fresh:
                self._make(measured)
            for measured, samples in by_metric.items():
                series = self._known[measured]
                series.append(samples)
                if series.is_full:
                    series.fold()
        return True

    def measured(self) -> dict[Measured, Series]:
        """Return what was put, by metric and unit."""
        with self._lock:
            self._read()
            return dict(self._known)

    def _make(self, measured: Measured) -> None:
        make_folder(self._home.metrics)
        file = self._home.metrics / f"{measured.file_stem}.json"
        temporary = file.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(measured)), encoding="utf-8")
        temporary.replace(file)
        self._known[measured] = self._series(measured)

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        for file in sorted(self._home.metrics.glob("*.json")):
            measured = _measured(file)
            if measured is not None:
                self._known[measured] = self._series(measured)

    def _series(self, measured: Measured) -> Series:
        file = self._home.metrics / f"{measured.file_stem}.csv"
        # Whoever puts a metric says the times of its points, in any order.
        return Series(file, kept_bytes=KEPT_BYTES, is_ordered=False)


def _measured(file: Path) -> Measured | None:
    """Read which metric a file is of; None for what is not one of ours."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        metric = raw["metric"]
        dimensions = tuple((str(name), str(value)) for name, value in metric["dimensions"])
        return Measured(Metric(metric["namespace"], metric["name"], dimensions), raw["unit"])
    except (ValueError, KeyError, TypeError):
        return None
