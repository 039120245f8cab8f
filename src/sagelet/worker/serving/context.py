"""The `context` that a handler may ask for: the request's headers in, status and headers out.

The real model server makes one such object a worker and gives it a new request processor for each
request; handlers that keep the object see the current request through it, here as there.
"""

from __future__ import annotations

import socket
import sys
import time
import uuid
from collections.abc import Mapping


class RequestProcessor:
    """One request's properties, and what the handlers said of its answer."""

    __slots__ = ("_exact", "_properties", "content_type", "headers", "phrase", "status")

    def __init__(self, properties: Mapping[str, str], *, exact: bool) -> None:
        """Begin with status 200 and no headers."""
        self._properties = dict(properties)
        self._exact = exact
        self.status = 200
        self.phrase = "OK"
        self.headers: dict[str, str] = {}
        self.content_type: str | None = None

    def get_request_properties(self) -> dict[str, str]:
        """Return the request's headers."""
        return self._properties

    def get_request_property(self, key: str) -> str | None:
        """Return one header; a name in another case is found unless the contract is strict."""
        if key in self._properties or self._exact:
            return self._properties.get(key)
        lower = key.lower()
        return next((v for k, v in self._properties.items() if k.lower() == lower), None)

    def add_response_property(self, key: str, value: str) -> None:
        """Set a header of the answer."""
        self.headers[str(key)] = str(value)

    def get_response_headers(self) -> dict[str, str]:
        """Return the answer's headers so far."""
        return self.headers

    def get_response_header(self, key: str) -> str | None:
        """Return one of the answer's headers."""
        return self.headers.get(key)

    def report_status(self, code: int, reason_phrase: str | None = None) -> None:
        """Set the answer's status."""
        self.status = int(code)
        self.phrase = reason_phrase or ""

    def get_response_status_code(self) -> int:
        """Return the answer's status."""
        return self.status

    def get_response_status_phrase(self) -> str:
        """Return the answer's reason phrase."""
        return self.phrase


class Metrics:
    """What a handler counts and times; each is a line of the endpoint's log."""

    def __init__(self, model_name: str) -> None:
        """Name the model in each line."""
        self._model_name = model_name

    def add_counter(
        self, name: str, value: float, idx: int | None = None, dimensions: object = None
    ) -> None:
        """Write a count."""
        self.add_metric(name, value, "Count", idx, dimensions)

    def add_time(
        self,
        name: str,
        value: float,
        idx: int | None = None,
        unit: str = "ms",
        dimensions: object = None,
    ) -> None:
        """Write a duration, in `ms` or `s`."""
        unit = {"ms": "Milliseconds", "s": "Seconds"}.get(unit, unit)
        self.add_metric(name, value, unit, idx, dimensions)

    def add_size(
        self,
        name: str,
        value: float,
        idx: int | None = None,
        unit: str = "MB",
        dimensions: object = None,
    ) -> None:
        """Write a size, in `B`, `kB`, `MB` or `GB`."""
        units = {"B": "Bytes", "kB": "Kilobytes", "MB": "Megabytes", "GB": "Gigabytes"}
        self.add_metric(name, value, units.get(unit, unit), idx, dimensions)

    def add_percent(
        self, name: str, value: float, idx: int | None = None, dimensions: object = None
    ) -> None:
        """Write a percentage."""
        self.add_metric(name, value, "Percent", idx, dimensions)

    def add_error(self, name: str, value: object, dimensions: object = None) -> None:
        """Write an error's text."""
        self.add_metric(name, value, "", None, dimensions)

    def add_metric(
        self,
        name: str,
        value: object,
        unit: str = "unit",
        idx: int | None = None,
        dimensions: object = None,
    ) -> None:
        """Write one line in the model server's form; a batch here is always of one."""
        del idx
        labels = ",".join([f"ModelName:{self._model_name}", "Level:Model", *_labels(dimensions)])
        place = f"hostname:{socket.gethostname()},{int(time.time())}"
        sys.stdout.write(f"{name}.{unit}:{value}|#{labels}|#{place}\n")


class Context:
    """What the model server tells a handler, and what a handler may tell the model server."""

    def __init__(self, model_dir: str, *, strict: bool = False, gpu_id: int | None = None) -> None:
        """Begin with a request that has no headers."""
        self._strict = strict
        self.model_name = "model"
        self.manifest = {"model": {"modelName": "model", "handler": "handler_service.py:handle"}}
        self.system_properties = {
            "model_dir": model_dir,
            "gpu_id": gpu_id,
            "batch_size": 1,
            "server_name": "MMS",
            "server_version": "0.12.0",
            "limit_max_image_pixels": True,
        }
        self.metrics = Metrics(self.model_name)
        self.explain = False
        self.request_processor: list[RequestProcessor] = []
        self._request_id: str | None = None
        self.begin({})

    def begin(self, properties: Mapping[str, str]) -> RequestProcessor:
        """Take up the next request, and return what its answer will be read from."""
        processor = RequestProcessor(properties, exact=self._strict)
        self.request_processor = [processor]
        self._request_id = None
        return processor

    @property
    def request_ids(self) -> dict[int, str]:
        """The id of each request of the batch."""
        return {0: self.get_request_id(0)}

    def get_request_id(self, idx: int = 0) -> str:
        """Return the request's id, a random one."""
        del idx
        if self._request_id is None:
            self._request_id = str(uuid.uuid4())
        return self._request_id

    def get_request_header(self, idx: int, key: str) -> str | None:
        """Return a header of the request."""
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        """Return all headers of the request."""
        return self.request_processor[idx].get_request_properties()

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Set the content type; the handlers' result has the last word on it."""
        self.request_processor[idx].content_type = value

    def get_response_content_type(self, idx: int) -> str | None:
        """Return the content type that was set."""
        return self.request_processor[idx].content_type

    def set_response_status(self, code: int = 200, phrase: str | None = "", idx: int = 0) -> None:
        """Set the answer's status."""
        self.request_processor[idx].report_status(code, phrase)

    def set_all_response_status(self, code: int = 200, phrase: str | None = "") -> None:
        """Set the status of every answer of the batch."""
        for idx in range(len(self.request_processor)):
            self.set_response_status(code, phrase, idx)

    def get_response_status(self, idx: int) -> tuple[int, str]:
        """Return status and reason phrase."""
        processor = self.request_processor[idx]
        return processor.status, processor.phrase

    def get_response_headers(self, idx: int) -> dict[str, str]:
        """Return the answer's headers so far."""
        return self.request_processor[idx].headers

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """Set a header of the answer."""
        self.request_processor[idx].add_response_property(key, value)


def _labels(dimensions: object) -> list[str]:
    """Return `name:value` of each dimension; the model server's Dimension objects have both."""
    if not isinstance(dimensions, (list, tuple)):
        return []
    return [
        f"{getattr(item, 'name', 'Dimension')}:{getattr(item, 'value', item)}"
        for item in dimensions
    ]
