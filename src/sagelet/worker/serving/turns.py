"""One request under way: how far it has come, and how long each handler took."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter_ns
from typing import Any

from sagelet.worker.serving.context import CONTENT_TYPE, RequestProcessor
from sagelet.worker.serving.formats import Formats
from sagelet.worker.serving.streams import Sink, Stream

_LONGEST_HEADER = 8192
"""Clients take no longer line (Python's: 64 KiB), and hang up and ask again if one comes."""
# TorchServe's own mark on the first of several parts; it is no header of the answer.
_INTERNAL = (CONTENT_TYPE, "ts_stream_next")


class LongHeader(Exception):
    """A header of the answer is longer than clients take; the text names it."""


class Turn:
    """A request between its frame and its answer's.

    `stream` is there once it has parts; `raised_in` is the handler whose generator failed, which
    may not be the one that was called last.
    """

    __slots__ = (
        "_since",
        "asked",
        "data",
        "formats",
        "handler",
        "phases_ms",
        "raised_in",
        "request",
        "sink",
        "stream",
    )

    def __init__(
        self,
        asked: Mapping[str, Any],
        request: RequestProcessor,
        formats: Formats,
        sink: Sink | None,
    ) -> None:
        """Begin before the first handler."""
        self.asked = asked
        self.request = request
        self.formats = formats
        self.sink = sink
        self.stream: Stream | None = None
        self.handler: str | None = None
        self.raised_in: str | None = None
        self.phases_ms: dict[str, float] = {}
        self.data: Any = None
        self._since = 0

    def enter(self, handler: str) -> None:
        """Note that a handler begins now, and that the one before it has ended."""
        now = perf_counter_ns()
        if self.handler is not None and self._since:
            self.phases_ms[self.handler] = (now - self._since) // 1000 / 1000
        self.handler = handler
        self._since = now

    def leave(self) -> None:
        """Note that the handler has ended, and none has begun; it keeps its name."""
        if self.handler is not None and self._since:
            self.phases_ms[self.handler] = (perf_counter_ns() - self._since) // 1000 / 1000
            self._since = 0

    def check_headers(self, content_type: str | None) -> None:
        """See that no header of the answer is too long for clients.

        Raises:
            LongHeader: one is.
        """
        if not self.request.headers and len(content_type or "") <= _LONGEST_HEADER:
            return
        for name, value in ((CONTENT_TYPE, content_type), *self.request.headers.items()):
            size = len(str(value))
            if size > _LONGEST_HEADER:
                raise LongHeader(
                    f"The header {name} has {size} characters; at most {_LONGEST_HEADER} are sent."
                )

    def beginning(self, content_type: str | None) -> dict[str, Any]:
        """Return the header that goes before the first of several parts."""
        header = self.header(self.request.status, content_type)
        facts = {name: header[name] for name in ("id", "status", "content_type", "headers")}
        return {"op": "begin", **facts}

    def header(self, status: int, content_type: str | None) -> dict[str, Any]:
        """Return the header of the answer."""
        request = self.request
        headers = request.headers
        if headers:
            headers = {k: v for k, v in headers.items() if k.lower() not in _INTERNAL}
        answer = {
            "op": "answer",
            "id": self.asked.get("id"),
            "status": status,
            "content_type": content_type,
            "headers": headers,
            "phases_ms": self.phases_ms,
        }
        if request.differs is not None:
            answer["differs"] = request.differs
        if self.stream is not None and self.stream.is_begun:
            answer["streamed"] = True
        return answer
