"""Where the points of a metric are: with a training job or an endpoint, or among those put.

namespaces AWS/SageMaker, /aws/sagemaker/Endpoints
EndpointName, VariantName=<variant>     a variant's, as SageMaker publishes them

namespace /aws/sagemaker/TrainingJobs
Host=<job>/algo-1         one host's, as SageMaker publishes them
TrainingJobName=<job>     every host's, as the SageMaker SDK's TrainingJobAnalytics asks for them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sagelet.control.context import Context
from sagelet.control.documents.metrics import NO_UNIT, Window
from sagelet.domain.training import TrainingJob
from sagelet.errors import TrainingJobNotFound
from sagelet.journal.endpoint_metrics import ENDPOINT, KINDS, VARIANT, VariantMetrics
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.metric_store import Metric
from sagelet.journal.series import Sample, Series, folded
from sagelet.store.listing import ListQuery

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
HOST = "Host"
JOB = "TrainingJobName"

_JOBS_A_PAGE = 100


class Points(Protocol):
    """What holds points of a metric."""

    def samples(self, start_ms: int, end_ms: int | None) -> Iterator[Sample]:
        """Return those from a time on, before another."""
        ...


@dataclass(frozen=True, slots=True)
class VariantPoints:
    """The points of one metric of a variant."""

    metrics: VariantMetrics
    name: str

    def samples(self, start_ms: int, end_ms: int | None) -> Iterator[Sample]:
        """Return those from a time on, before another."""
        return self.metrics.samples(self.name, start_ms, end_ms)


def series_of(context: Context, metric: Metric, unit: str | None) -> list[tuple[str, Points]]:
    """Return what holds a metric's points, each with its unit; `unit` picks one."""
    found: list[tuple[str, Points]] = [
        (measured.unit, series)
        for measured, series in context.metrics.measured().items()
        if measured.metric == metric
    ]
    if metric.namespace == TRAINING_JOBS:
        found += [(NO_UNIT, series) for series in _job_series(context, metric)]
    found += _of_variant(context, metric)
    return [(own, series) for own, series in found if unit in (None, own)]


def by_period(series: Sequence[Points], window: Window) -> list[Sample]:
    """Return what there is in a window of time, a sample a period, at the time it begins."""
    samples = (sample for one in series for sample in one.samples(window.start_ms, window.end_ms))
    return [
        sample.moved(sample.ms - sample.ms % window.period_ms)
        for sample in folded(samples, window.period_ms)
    ]


def listed(context: Context, dimensions: Mapping[str, str | None]) -> Iterator[Metric]:
    """Find the metrics that have points; `dimensions` may say of which job."""
    yield from dict.fromkeys(measured.metric for measured in context.metrics.measured())
    yield from _of_endpoints(context, dimensions.get(ENDPOINT))
    asked = dimensions.get(JOB) or _job_of(dimensions.get(HOST) or "")
    for job in _jobs(context) if asked is None else _job(context, asked):
        if job.metrics:
            yield from _of_job(job.name, context.metrics.of_job(job.ulid))


def _of_variant(context: Context, metric: Metric) -> Iterator[tuple[str, Points]]:
    kind = KINDS.get(metric.name)
    if kind is None or kind.namespace != metric.namespace:
        return
    match metric.dimensions:
        case ((first, endpoint), (second, variant)) if (first, second) == (ENDPOINT, VARIANT):
            series = context.metrics.endpoints.find(endpoint)
            known = series.all().get(variant) if series is not None else None
            if known is not None:
                yield kind.unit, VariantPoints(known, metric.name)
        case _:
            return


def _of_endpoints(context: Context, asked: str | None) -> Iterator[Metric]:
    for endpoint, series in sorted(context.metrics.endpoints.all().items()):
        if asked not in (None, endpoint):
            continue
        for variant, metrics in sorted(series.all().items()):
            for name in sorted(metrics.names() & KINDS.keys()):
                dimensions = {ENDPOINT: endpoint, VARIANT: variant}
                yield Metric.of(KINDS[name].namespace, name, dimensions)


def _job_series(context: Context, metric: Metric) -> Iterator[Series]:
    match metric.dimensions:
        case ((name, value),) if name == JOB:
            wanted, host = value, ""
        case ((name, value),) if name == HOST and "/" in value:
            wanted, _, host = value.rpartition("/")
        case _:
            return
    for job in _job(context, wanted):
        journal = context.metrics.of_job(job.ulid)
        names = journal.names()
        if metric.name in names:
            for each in [host] if host else journal.hosts():
                yield journal.series(each, names.index(metric.name))


def _of_job(job: str, journal: JobMetrics) -> Iterator[Metric]:
    hosts = journal.hosts()
    for index, name in enumerate(journal.names()):
        having = [host for host in hosts if journal.series(host, index).size_bytes]
        if having:
            yield Metric(TRAINING_JOBS, name, ((JOB, job),))
        for host in having:
            yield Metric(TRAINING_JOBS, name, ((HOST, f"{job}/{host}"),))


def _job_of(host: str) -> str | None:
    return host.rpartition("/")[0] or None


def _job(context: Context, name: str) -> list[TrainingJob]:
    with context.store.reading() as snapshot:
        try:
            return [snapshot.training_jobs.get(name)]
        except TrainingJobNotFound:
            return []


def _jobs(context: Context) -> Iterator[TrainingJob]:
    token: str | None = None
    while True:
        with context.store.reading() as snapshot:
            page = snapshot.training_jobs.list(ListQuery(limit=_JOBS_A_PAGE, token=token))
        yield from page.values
        token = page.token
        if token is None:
            return
