"""Requests of PutMetricData: values, values with counts, and statistics of values."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sagelet.control.context import Document
from sagelet.control.documents.metrics import (
    NO_UNIT,
    invalid_combination,
    invalid_value,
    milliseconds,
    read_metric,
)
from sagelet.journal.metric_store import Measured
from sagelet.journal.series import Sample
from sagelet.wire.faults import Fault

_PAST = timedelta(weeks=2)
_FUTURE = timedelta(hours=2)


def read_put(document: Document, *, now: datetime) -> list[tuple[Measured, Sample]]:
    """Read a PutMetricData request.

    Raises:
        Fault: the namespace is AWS's, or a datum has no value, two, or one that is no number.
    """
    namespace = document["Namespace"]
    if namespace.startswith("AWS/"):
        raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")
    return [
        (
            Measured(read_metric(namespace, datum), datum.get("Unit", NO_UNIT)),
            _sample(datum, f"MetricData.member.{number}", now),
        )
        for number, datum in enumerate(document.get("MetricData") or (), start=1)
    ]


def _sample(datum: Document, at: str, now: datetime) -> Sample:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if not given:
        raise Fault(
            "MissingRequiredParameterException",
            400,
            f"At least one of the parameters must be specified: {at}.Value, {at}.Values or "
            f"{at}.StatisticValues.",
        )
    if len(given) > 1:
        raise invalid_combination(
            f"The parameters {at}.{given[0]} and {at}.{given[1]} are mutually exclusive and you "
            "have specified both."
        )
    when: datetime = datum.get("Timestamp", now)
    if not now - _PAST <= when <= now + _FUTURE:
        raise invalid_value(
            f"The parameter {at}.Timestamp must specify a time that is at most two weeks in the "
            "past and two hours in the future."
        )
    sample = _VALUES[given[0]](milliseconds(when), datum, at)
    numbers = (sample.last, sample.count, sample.total, sample.least, sample.greatest)
    if not all(math.isfinite(number) for number in numbers):
        raise invalid_value(f"The value for parameter {at}.{given[0]} is not a finite number.")
    return sample


def _single(ms: int, datum: Document, _at: str) -> Sample:
    return Sample.of(ms, datum["Value"])


def _several(ms: int, datum: Document, at: str) -> Sample:
    values = datum["Values"]
    counts = datum.get("Counts") or [1.0] * len(values)
    if not values or len(values) != len(counts):
        raise invalid_value(
            f"The parameters {at}.Values and {at}.Counts must be of the same length."
        )
    total = sum(value * count for value, count in zip(values, counts, strict=True))
    return Sample(ms, values[-1], sum(counts), total, min(values), max(values))


def _summary(ms: int, datum: Document, at: str) -> Sample:
    known = datum["StatisticValues"]
    if known["SampleCount"] <= 0:
        raise invalid_value(
            f"The value for parameter {at}.StatisticValues.SampleCount must be above 0."
        )
    average = known["Sum"] / known["SampleCount"]
    return Sample(
        ms, average, known["SampleCount"], known["Sum"], known["Minimum"], known["Maximum"]
    )


_VALUES = {"Value": _single, "Values": _several, "StatisticValues": _summary}
