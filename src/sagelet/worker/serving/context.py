"""The `context` that a handler may ask for: the request's headers in, status and headers out.

The real model server makes one such object a worker and gives it a new request processor for each
request; handlers that keep the object see the current request through it, here as there.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.metrics import Metrics
from sagelet.worker.serving.model_server import ModelServerSocket

CONTENT_TYPE = "content-type"
"""The name under which the model server keeps an answer's content type among its headers."""

_NO_HEADERS: Mapping[str, str] = {}
_STATUSES = range(200, 600)


class RequestProcessor:
    """One request's properties, and what the handlers said of its answer.

    `differs` are the ids of the differences (see `differences`) that its answer shows.
    """

    __slots__ = (
        "_accept",
        "_content_type",
        "_exact",
        "_given",
        "_id",
        "_properties",
        "differs",
        "headers",
        "phrase",
        "status",
    )

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        accept: str | None = None,
        *,
        exact: bool = False,
    ) -> None:
        """Begin with status 200 and no headers."""
        self._given = headers
        self._content_type = content_type
        self._accept = accept
        self._exact = exact
        self._properties: dict[str, str] | None = None
        self._id = ""
        self.status = 200
        self.phrase: str | None = None
        self.headers: dict[str, str] = {}
        self.differs: list[str] | None = None

    @property
    def id(self) -> str:
        """The request's id, a random one."""
        if not self._id:
            self._id = str(uuid.uuid4())
        return self._id

    def differ(self, difference: str) -> None:
        """Note that `strict` would have answered otherwise, and which row says so."""
        if self.differs is None:
            self.differs = []
        if difference not in self.differs:
            self.differs.append(difference)

    def get_request_properties(self) -> dict[str, str]:
        """Return the request's headers."""
        if self._properties is None:
            self._properties = dict(self._given or _NO_HEADERS)
            if self._content_type is not None:
                self._properties["Content-Type"] = self._content_type
            if self._accept is not None:
                self._properties["Accept"] = self._accept
        return self._properties

    def get_request_property(self, key: str) -> str | None:
        """Return one header; a name in another case is found unless the contract is strict."""
        properties = self.get_request_properties()
        if key in properties or self._exact:
            return properties.get(key)
        lower = key.lower()
        found = next((v for k, v in properties.items() if k.lower() == lower), None)
        if found is not None:
            self.differ("header-case")
        return found

    def add_response_property(self, key: Any, value: Any) -> None:
        """Set a header of the answer.

        Raises:
            Refused: the contract is strict, and the name or the value is no text.
        """
        if not (isinstance(key, str) and isinstance(value, str)):
            self._convert(f"The header {key!r} is set to {value!r}, which is no text.")
        self.headers[str(key)] = str(value)

    def get_response_headers(self) -> dict[str, str]:
        """Return the answer's headers so far."""
        return self.headers

    def get_response_header(self, key: str) -> str | None:
        """Return one of the answer's headers."""
        return self.headers.get(key)

    def report_status(self, code: Any, reason_phrase: str | None = None) -> None:
        """Set the answer's status.

        Raises:
            Refused: the contract is strict, and it is no number or the phrase is not ASCII.
            ValueError: it is no status of an answer.
        """
        code = 200 if code is None else code
        if not isinstance(code, int):
            self._convert(f"The status is set to {code!r}, which is no integer.")
        if int(code) not in _STATUSES:
            raise ValueError(f"{code} is no status of an answer; those are 200 to 599")
        if reason_phrase and not reason_phrase.isascii():
            if self._exact:
                raise Refused("utf8-status", f"The phrase {reason_phrase!r} is not ASCII.")
            self.differ("utf8-status")
        self.status = int(code)
        self.phrase = reason_phrase

    def get_response_status_code(self) -> int:
        """Return the answer's status."""
        return self.status

    def get_response_status_phrase(self) -> str | None:
        """Return the answer's reason phrase."""
        return self.phrase

    def _convert(self, problem: str) -> None:
        if self._exact:
            raise Refused("answer-metadata", problem)
        self.differ("answer-metadata")


class Context:
    """What the model server tells a handler, and what a handler may tell the model server."""

    def __init__(self, model_dir: str, *, strict: bool = False, gpu_id: int | None = None) -> None:
        """Begin with a request that has no headers."""
        self._strict = strict
        self.model_name = "model"
        self.manifest = _manifest(model_dir)
        self.model_yaml_config: dict[str, Any] = {}
        self.system_properties = {
            "model_dir": model_dir,
            "gpu_id": gpu_id,
            "batch_size": 1,
            "server_name": "MMS",
            "server_version": "0.12.0",
            "limit_max_image_pixels": True,
        }
        self.metrics = Metrics(self.model_name, lambda: self.request_ids)
        self.explain = False
        self.stopping_criteria: dict[int, Callable[[Any], bool | None]] | None = None
        self.cl_socket = ModelServerSocket(self)
        self.on_part: Callable[[Any], None] = _refuse_part
        self.request_processor: list[RequestProcessor] = []
        self.begin()

    def begin(
        self,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        accept: str | None = None,
    ) -> RequestProcessor:
        """Take up the next request, and return what its answer will be read from."""
        processor = RequestProcessor(headers, content_type, accept, exact=self._strict)
        self.request_processor = [processor]
        return processor

    def send_part(self, result: Any) -> None:
        """Send a part of the answer before the handler returns the last one."""
        self.on_part(result)

    def take_up(self, processors: Sequence[RequestProcessor]) -> None:
        """Come back to requests that were begun: one, or those that are predicted together."""
        self.request_processor = list(processors)

    def differ(self, difference: str) -> None:
        """Note a difference on the current request."""
        self.request_processor[0].differ(difference)

    @property
    def request_ids(self) -> dict[int, str]:
        """The id of each request of the batch."""
        return {place: processor.id for place, processor in enumerate(self.request_processor)}

    def get_request_id(self, idx: int = 0) -> str | None:
        """Return a request's id, a random one."""
        return self.request_ids.get(idx)

    def get_request_header(self, idx: int, key: str) -> str | None:
        """Return a header of the request."""
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        """Return all headers of the request."""
        return self.request_processor[idx].get_request_properties()

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Set the content type; the handlers' result has the last word on it."""
        self.set_response_header(idx, CONTENT_TYPE, value)

    def get_response_content_type(self, idx: int) -> str | None:
        """Return the content type that was set."""
        return self.get_response_headers(idx).get(CONTENT_TYPE)

    def set_response_status(self, code: Any = 200, phrase: str | None = "", idx: int = 0) -> None:
        """Set the answer's status."""
        self.request_processor[idx].report_status(code, phrase)

    def set_all_response_status(self, code: Any = 200, phrase: str | None = "") -> None:
        """Set the status of every answer of the batch."""
        for idx in range(len(self.request_processor)):
            self.set_response_status(code, phrase, idx)

    def get_response_status(self, idx: int) -> tuple[int, str | None]:
        """Return status and reason phrase."""
        processor = self.request_processor[idx]
        return processor.status, processor.phrase

    def get_response_headers(self, idx: int) -> dict[str, str]:
        """Return the answer's headers so far."""
        return self.request_processor[idx].headers

    def set_response_header(self, idx: int, key: str, value: Any) -> None:
        """Set a header of the answer."""
        self.request_processor[idx].add_response_property(key, value)


def first_gpu() -> int | None:
    """Return the number of the GPU that handlers are to use, as the model server tells it.

    Nothing is imported or initialised for it.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return None
    return 0 if any(Path("/dev").glob("nvidia[0-9]*")) else None


def _refuse_part(_result: Any) -> None:
    raise RuntimeError("there is no request whose answer this could be a part of")


def _manifest(model_dir: str) -> Any:
    """Return what MAR-INF/MANIFEST.json says; a model of SageMaker's has none."""
    try:
        return json.loads(Path(model_dir, "MAR-INF", "MANIFEST.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
