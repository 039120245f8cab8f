"""The model server around the toolkit: TorchServe's own worker in process, its Java part modelled.

A request goes through `ts.service.Service.predict`, which calls the toolkit's handler service and
writes a message for the server. What the server, which is Java, does with that message is a model
of its sources (pytorch/serve, frontend/server/src/main/java/org/pytorch/serve):

- `util/codec/ModelResponseDecoder.java` reads it. Lengths are in bytes there; the worker writes
  those of a content type and of a reason phrase in characters, so one that is not ASCII leaves a
  message that never ends, and the request hangs.
- `wlm/BatchAggregator.java`: code 200 answers the request with its prediction, any other is an
  error of the server's own.
- `job/RestJob.java`: status, content type, then the handlers' headers, which may overwrite it; an
  error of its own is JSON by `util/NettyUtils.java`. Of an answer in parts, which the header
  `ts_stream_next` marks, only the first part's status and headers count; here the parts are joined.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.service import Service

from tests.oracle.results import Result, answered

_END = -1
_PART = "ts_stream_next"
_INSUFFICIENT_STORAGE = 507


class Hung(Exception):
    """The server waits for more bytes than will come."""


class Message:
    """Reads what a worker writes for the server."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        """Read an int."""
        return int(struct.unpack("!i", self._take(4))[0])

    def sized(self) -> bytes:
        """Read bytes that their length stands before."""
        return self._take(self.number())

    def _take(self, size: int) -> bytes:
        if size < 0 or self._at + size > len(self._data):
            raise Hung
        self._at += size
        return self._data[self._at - size : self._at]


def request(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return a request as the worker has it from the server: names and values are bytes."""
    pairs = [{"name": k.encode(), "value": v.encode()} for k, v in headers.items()]
    content_type = headers.get("Content-Type", "")
    parameter = {"name": "body", "contentType": content_type, "value": bytearray(body)}
    return {"requestId": b"0", "headers": pairs, "parameters": [parameter]}


class Socket:
    """What handlers send parts of an answer to, before they return the last."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, message: bytes) -> None:
        """Keep a message for the server."""
        self.sent.append(bytes(message))


def a_service(
    entry_point: Callable[[Any, Any], Any], folder: str, metrics: MetricsCacheYamlImpl
) -> Service:
    """Return the worker's service around a handler service's `handle`."""
    service = Service("model", folder, None, entry_point, None, 1, metrics_cache=metrics)
    service.set_cl_socket(Socket())
    return service


def read(messages: Sequence[bytes], folder: str) -> Result:
    """Return what the server makes of a worker's messages: parts of an answer, and its end."""
    try:
        parts = [_prediction(Message(message)) for message in messages]
    except (Hung, UnicodeDecodeError):
        return Result("hung")  # lengths that were wrong once make no sense from there on
    first = parts[0]
    body = b"".join(part.body for part in parts)
    return answered(first.status, first.content_type, first.headers, body, folder)


@dataclass(frozen=True)
class Prediction:
    """What a message says of one answer."""

    status: int
    content_type: str | None
    headers: Mapping[str, str]
    body: bytes


def _prediction(message: Message) -> Prediction:
    code, text = message.number(), message.sized().decode()
    if code != 200:
        return Prediction(code, "application/json", {}, server_error(code, text))
    message.sized()  # the request's id
    content_type: str | None = message.sized().decode() or None
    status = message.number()
    message.sized()  # the reason phrase
    headers = [
        (message.sized().decode(), message.sized().decode()) for _ in range(message.number())
    ]
    body = message.sized()
    if message.number() != _END:
        raise Hung
    own = {}
    for name, value in headers:
        if name.lower() == "content-type":
            content_type = value
        elif name != _PART:
            own[name] = value
    return Prediction(status, content_type, own, body)


def server_error(code: int, text: str) -> bytes:
    """Return the body of an error of the server's own."""
    code = _INSUFFICIENT_STORAGE if code == 413 else code
    body = {"code": code, "type": "InternalServerException", "message": text}
    return (json.dumps(body, indent=2) + "\n").encode()
