"""One request through the handlers: from a frame's header and body to the answer's.

What handlers see is the inference contract's: the body is text for JSON and CSV, else a bytearray;
Accept defaults to SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT; a result that is a tuple brings its own
content type. Under `contract: sane` media types are first freed of parameters, case and quality
values, and an unsupported one answers 415 or 406 instead of 500.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any

from sagelet.worker.serving import media_types, toolkit_errors
from sagelet.worker.serving.context import Context, RequestProcessor
from sagelet.worker.serving.handlers import Handler
from sagelet.worker.serving.loading import LoadedModel
from sagelet.worker.serving.tracebacks import describe

_UNSERIALISABLE = "Unsupported model output data type."


class Unserialisable(Exception):
    """A handler's result that is neither text, bytes nor JSON. The text says what and where."""


@dataclass(frozen=True)
class Formats:
    """What a request is in and what its answer is to be in, as the handlers are told.

    `label` is the answer's content type unless a handler's tuple has another.
    """

    content_type: str | None
    accept: str
    label: str


@dataclass
class Progress:
    """How far a request has come: the handler that runs, and how long each took."""

    handler: str | None
    phases_ms: dict[str, float]


class Responder:
    """Answers requests with a loaded model; `loaded` is replaced between two requests."""

    def __init__(
        self, loaded: LoadedModel, context: Context, *, strict: bool, default_accept: str
    ) -> None:
        """Serve what is loaded."""
        self.loaded = loaded
        self._context = context
        self._strict = strict
        self._default_accept = default_accept or media_types.JSON

    def answer(self, header: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the header and the body of the answer to a request."""
        request = self._context.begin(_properties(header))
        progress = Progress(None, {})
        extra: dict[str, Any] = {}
        content_type: str | None = None
        try:
            result, content_type = self._run(header, body, progress)
            payload = self._to_bytes(result)
            status = request.status
        except Unserialisable as error:
            status, content_type = HTTPStatus.SERVICE_UNAVAILABLE.value, media_types.JSON
            payload = server_error(status, str(error))
        except BaseException as error:
            if self._strict and isinstance(error, SystemExit):
                raise
            content_type = None
            status, payload, extra = self._failure(error, progress)
        answer = _header(header, request, status, content_type)
        answer["phases_ms"] = progress.phases_ms
        answer.update(extra)
        return answer, payload

    def _run(
        self, header: Mapping[str, Any], body: bytes, progress: Progress
    ) -> tuple[Any, str | None]:
        formats = self._formats(header)
        data = _decoded(body, formats.content_type)
        handlers, model = self.loaded.handlers, self.loaded.model
        if handlers.transform is not None:
            result = self._timed(
                handlers.transform, progress, model, data, formats.content_type, formats.accept
            )
        else:
            read = self._timed(handlers.input, progress, data, formats.content_type)
            prediction = self._timed(handlers.predict, progress, read, model)
            result = self._timed(handlers.output, progress, prediction, formats.accept)
        progress.handler = None
        if isinstance(result, tuple):
            return result[0], result[1]
        return result, formats.label

    def _timed(self, handler: Handler, progress: Progress, *arguments: Any) -> Any:
        progress.handler = handler.name
        begun = perf_counter()
        try:
            return handler(self._context, *arguments)
        finally:
            progress.phases_ms[handler.name] = round((perf_counter() - begun) * 1000, 3)

    def _formats(self, header: Mapping[str, Any]) -> Formats:
        content_type, accept = header.get("content_type"), header.get("accept")
        if not accept or accept == media_types.ANY:
            accept = self._default_accept
        if self._strict:
            return Formats(content_type, accept, accept)
        plain = media_types.essence(content_type)
        content_type = plain if plain in media_types.UTF8_TYPES else content_type
        wanted = media_types.preferences(accept)
        if not wanted or wanted[0] == media_types.ANY:
            return Formats(content_type, self._default_accept, self._default_accept)
        label = next((name for name in wanted if "*" not in name), self._default_accept)
        return Formats(content_type, wanted[0] if len(wanted) == 1 else accept, label)

    def _to_bytes(self, result: Any) -> bytes:
        if isinstance(result, (bytes, bytearray)):
            return bytes(result)
        if isinstance(result, str):
            return result.encode("utf-8")
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(result, torch.Tensor):
            buffer = io.BytesIO()
            torch.save(result, buffer)
            return buffer.getvalue()
        try:
            return json.dumps(result, indent=2).encode("utf-8")
        except (TypeError, ValueError, RecursionError) as error:
            what = "" if self._strict else f" ({culprit(result) or error})"
            raise Unserialisable(_UNSERIALISABLE + what) from error

    def _failure(
        self, error: BaseException, progress: Progress
    ) -> tuple[int, bytes, dict[str, Any]]:
        failure = describe(error)
        _free_cuda_memory(error)
        sys.stderr.write(failure.traceback)
        text = f"{toolkit_errors.message_of(error)}\n{failure.traceback}"
        facts = {"where": failure.where, "handler": progress.handler, "error": failure.error}
        return self._status(error, progress), text.encode("utf-8", "backslashreplace"), facts

    def _status(self, error: BaseException, progress: Progress) -> int:
        chosen = toolkit_errors.chosen_status(error)
        if chosen is not None:
            return chosen
        if self._strict or not toolkit_errors.is_unsupported_format(error):
            return HTTPStatus.INTERNAL_SERVER_ERROR.value
        if progress.handler == "output_fn":
            return HTTPStatus.NOT_ACCEPTABLE.value
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE.value


def server_error(status: int, message: str) -> bytes:
    """Return an error's body as the model server writes those that are its own."""
    body = {"code": status, "type": "InternalServerException", "message": message}
    return (json.dumps(body, indent=2) + "\n").encode("utf-8")


def culprit(value: Any, path: str = "", depth: int = 0) -> str | None:
    """Say which part of a value JSON cannot hold: its type and its place."""
    if depth > 50:
        return "nested too deep"
    if isinstance(value, dict):
        parts = [(f"[{key!r}]", item) for key, item in value.items()]
        bad_keys = [key for key in value if not isinstance(key, (str, int, float, type(None)))]
        if bad_keys:
            return f"a key of type {type(bad_keys[0]).__name__} in the result{path}"
    elif isinstance(value, (list, tuple)):
        parts = [(f"[{place}]", item) for place, item in enumerate(value)]
    elif isinstance(value, (str, int, float, type(None))):
        return None
    else:
        return f"{type(value).__name__} at result{path}"
    found = (culprit(item, path + step, depth + 1) for step, item in parts)
    return next((what for what in found if what), None)


def _properties(header: Mapping[str, Any]) -> dict[str, str]:
    properties = dict(header.get("headers") or {})
    for name, key in (("Content-Type", "content_type"), ("Accept", "accept")):
        if header.get(key) is not None:
            properties[name] = header[key]
    return properties


def _decoded(body: bytes, content_type: str | None) -> Any:
    if content_type in media_types.UTF8_TYPES:
        return body.decode("utf-8")
    return bytearray(body)


def _header(
    asked: Mapping[str, Any], request: RequestProcessor, status: int, content_type: Any
) -> dict[str, Any]:
    return {
        "op": "answer",
        "id": asked.get("id"),
        "status": status,
        "content_type": content_type if content_type is None else str(content_type),
        "headers": request.headers,
    }


def _free_cuda_memory(error: BaseException) -> None:
    """Give a GPU's cached memory back after it ran out, so that the next request may fit."""
    torch = sys.modules.get("torch")
    if torch is not None and type(error).__name__ == "OutOfMemoryError":
        torch.cuda.empty_cache()
