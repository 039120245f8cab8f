"""What handlers count and time: `context.metrics`, each call a line of the endpoint's log.

The methods are those of TorchServe's metrics, and so are the lines:

    [METRICS]Tokens.Count:3|#ModelName:model,Level:Model|#type:COUNTER|#hostname:h,1760000000,<id>
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterable
from typing import Any, Callable

_UNITS = {
    "ms": "Milliseconds",
    "s": "Seconds",
    "percent": "Percent",
    "count": "Count",
    "MB": "Megabytes",
    "GB": "Gigabytes",
    "kB": "Kilobytes",
    "B": "Bytes",
    "": "unit",
    None: "unit",
}
_TIMES = ("ms", "s")
_SIZES = ("MB", "kB", "GB", "B")
_COUNTER, _GAUGE = "COUNTER", "GAUGE"


class Metrics:
    """Writes metrics; `request_ids` tells whose request is answered."""

    def __init__(self, model_name: str, request_ids: Callable[[], dict[int, str]]) -> None:
        """Name the model in each line."""
        self._model_name = model_name
        self._request_ids = request_ids
        self._known: dict[tuple[str, str], Metric] = {}

    def add_counter(
        self, name: str, value: float, idx: int | None = None, dimensions: Any = None
    ) -> None:
        """Write a count, which is not negative."""
        self.add_metric(name, value, "count", idx, dimensions, _COUNTER)

    def add_time(
        self,
        name: str,
        value: float,
        idx: int | None = None,
        unit: str = "ms",
        dimensions: Any = None,
        metric_type: Any = _GAUGE,
    ) -> None:
        """Write a duration, in `ms` or `s`.

        Raises:
            ValueError: the unit is neither.
        """
        if unit not in _TIMES:
            raise ValueError(f"the unit for a timed metric should be one of {list(_TIMES)}")
        self.add_metric(name, value, unit, idx, dimensions, metric_type)

    def add_size(
        self,
        name: str,
        value: float,
        idx: int | None = None,
        unit: str = "MB",
        dimensions: Any = None,
        metric_type: Any = _GAUGE,
    ) -> None:
        """Write a size, in `B`, `kB`, `MB` or `GB`.

        Raises:
            ValueError: the unit is none of them.
        """
        if unit not in _SIZES:
            raise ValueError(f"The unit for size based metric is one of {list(_SIZES)}")
        self.add_metric(name, value, unit, idx, dimensions, metric_type)

    def add_percent(
        self,
        name: str,
        value: float,
        idx: int | None = None,
        dimensions: Any = None,
        metric_type: Any = _GAUGE,
    ) -> None:
        """Write a percentage."""
        self.add_metric(name, value, "percent", idx, dimensions, metric_type)

    def add_error(self, name: str, value: object, dimensions: Any = None) -> None:
        """Write an error."""
        write(name, value, "", _named(dimensions, [("Level", "Error")]), _COUNTER)

    def add_metric(
        self,
        name: str,
        value: object,
        unit: str = "unit",
        idx: int | None = None,
        dimensions: Any = None,
        metric_type: Any = _COUNTER,
    ) -> None:
        """Write a value in any unit; `idx` is the request's place in a batch."""
        own: list[tuple[str, object]] = [("ModelName", self._model_name), ("Level", "Model")]
        ids = self._request_ids()
        request_id = ids[idx] if idx in ids else ",".join(ids.values())
        write(name, value, unit, _named(dimensions, own), metric_type, request_id)

    def add_metric_to_cache(
        self,
        metric_name: str,
        unit: str,
        dimension_names: Iterable[str] = (),
        metric_type: Any = _COUNTER,
    ) -> Metric:
        """Name a metric once, to update it often."""
        metric = Metric(metric_name, unit, dimension_names, metric_type)
        self._known[_type_name(metric_type), metric_name] = metric
        return metric

    def get_metric(self, metric_name: str, metric_type: Any = _COUNTER) -> Metric:
        """Return a metric that was named before.

        Raises:
            KeyError: it was not.
        """
        return self._known[_type_name(metric_type), metric_name]


class Metric:
    """A metric whose dimensions have names already."""

    def __init__(
        self, metric_name: str, unit: str, dimension_names: Iterable[str], metric_type: Any
    ) -> None:
        """Keep what each line has in common."""
        self.metric_name = metric_name
        self.unit = unit
        self.dimension_names = list(dimension_names or ())
        self.metric_type = metric_type

    def add_or_update(
        self, value: object, dimension_values: Iterable[object] = (), request_id: str = ""
    ) -> None:
        """Write the metric's value."""
        dimensions = list(zip(self.dimension_names, dimension_values))
        write(self.metric_name, value, self.unit, dimensions, self.metric_type, request_id)


def write(
    name: str,
    value: object,
    unit: str | None,
    dimensions: list[tuple[str, object]],
    metric_type: Any,
    request_id: str = "",
) -> None:
    """Write one line; a negative count is an error's line, as it is there."""
    labels = ",".join(f"{name}:{value}" for name, value in dimensions)
    kind = _type_name(metric_type)
    if kind == _COUNTER and isinstance(value, (int, float)) and value < 0:
        sys.stdout.write(
            f"[METRICS]Failed to update metric with name:{name} and dimensions: {labels} "
            f"with value: {value}: Counter metric update value cannot be negative\n"
        )
        return
    place = f"hostname:{socket.gethostname()},{int(time.time())}"
    rest = f",{request_id}" if request_id else ""
    unit = _UNITS.get(unit, unit)
    sys.stdout.write(f"[METRICS]{name}.{unit}:{value}|#{labels}|#type:{kind}|#{place}{rest}\n")


def _named(dimensions: Any, own: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Return the names and values of Dimension objects, then what they leave out."""
    given = [
        (str(getattr(item, "name", "Dimension")), getattr(item, "value", item))
        for item in dimensions or ()
    ]
    named = {name for name, _ in given}
    return [*given, *((name, value) for name, value in own if name not in named)]


def _type_name(metric_type: Any) -> str:
    """Return `COUNTER`, `GAUGE` or `HISTOGRAM`; TorchServe's are members of an enumeration."""
    return str(getattr(metric_type, "name", metric_type)).upper()
