"""The kinds of metrics."""

from __future__ import annotations

import enum


class MetricTypes(enum.Enum):
    """What a metric's value means."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
