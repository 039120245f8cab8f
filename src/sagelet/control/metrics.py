"""Operations of CloudWatch on metrics: of jobs, of endpoints, and those that scripts put."""

from __future__ import annotations

from itertools import islice

from sagelet.control.context import Context, Document
from sagelet.control.documents import metrics as documents
from sagelet.control.documents.metric_data import read_put
from sagelet.control.metric_points import Points, by_period, listed, series_of
from sagelet.journal.metric_store import METRICS_AT_MOST
from sagelet.journal.series import Sample
from sagelet.wire.faults import Fault

_METRICS_A_PAGE = 500


def put_data(context: Context, document: Document) -> Document:
    """PutMetricData.

    Raises:
        Fault: a value or the namespace is none, or there are too many metrics.
    """
    points = read_put(document, now=context.clock.now())
    if not context.metrics.put(points):
        raise Fault(
            "LimitExceededFault",
            400,
            f"{METRICS_AT_MOST} metrics are kept here at most; give fewer names and dimensions, or "
            "remove the folder metrics of the state directory.",
        )
    return {}


def get_statistics(context: Context, document: Document) -> Document:
    """GetMetricStatistics: points in order of their times, a metric's units apart.

    Raises:
        Fault: its period, its times or its statistics are none, or it asks for too many points.
        NotSupported: it asks for percentiles of what has none.
    """
    query = documents.read_statistics(document)
    by_unit: dict[str, list[Points]] = {}
    for unit, series in series_of(context, query.metric, query.unit):
        by_unit.setdefault(unit, []).append(series)
    points = [
        (unit, sample)
        for unit, found in by_unit.items()
        for sample in by_period(found, query.window)
    ]
    points.sort(key=lambda point: point[1].ms)
    return documents.show_statistics(query, points)


def get_data(context: Context, document: Document) -> Document:
    """GetMetricData, page by page.

    Raises:
        Fault: a period or the times are none, or the token is none.
        NotSupported: a statistic is none of those that are served.
    """
    query = documents.read_data(document)
    results = []
    skipped, left = query.skipped, query.limit
    is_all = True
    known: dict[tuple[object, ...], list[Sample]] = {}
    for wanted in query.wanted:
        if not wanted.is_shown:
            continue
        # Several statistics of one metric are read once.
        about = (wanted.metric, wanted.unit, wanted.window)
        if about not in known:
            series = [one for _, one in series_of(context, wanted.metric, wanted.unit)]
            known[about] = by_period(series, wanted.window)
        points = list(known[about])
        if query.descending:
            points.reverse()
        page = points[skipped : skipped + left]
        is_complete = skipped + len(page) >= len(points)
        results.append(documents.show_result(wanted, page, is_complete=is_complete))
        skipped, left = max(0, skipped - len(points)), left - len(page)
        is_all = is_all and is_complete
    shown: Document = {"MetricDataResults": results}
    if not is_all:
        shown["NextToken"] = documents.show_token(query.skipped + query.limit)
    return shown


def list_all(context: Context, document: Document) -> Document:
    """ListMetrics: the metrics that have points.

    Raises:
        Fault: the token is none.
    """
    query = documents.read_list(document)
    fitting = (metric for metric in listed(context, query.dimensions) if query.fits(metric))
    page = list(islice(fitting, query.skipped, query.skipped + _METRICS_A_PAGE + 1))
    shown: Document = {
        "Metrics": [documents.show_metric(metric) for metric in page[:_METRICS_A_PAGE]]
    }
    if len(page) > _METRICS_A_PAGE:
        shown["NextToken"] = documents.show_token(query.skipped + _METRICS_A_PAGE)
    return shown
