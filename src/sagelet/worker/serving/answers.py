"""One request through the handlers: from a frame's header and body to the answer's.

What handlers see is the inference contract's: the body is text for JSON and CSV, else a bytearray;
Accept defaults to SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT; a result that is a tuple brings its own
content type. What `contract: sane` forgives beyond that stands in `differences`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sagelet.worker.serving import media_types
from sagelet.worker.serving.context import CONTENT_TYPE, Context
from sagelet.worker.serving.differences import Refused
from sagelet.worker.serving.failing import failed
from sagelet.worker.serving.formats import FormatTable
from sagelet.worker.serving.loading import LoadedModel
from sagelet.worker.serving.results import Unserialisable, culprit, server_error, to_bytes
from sagelet.worker.serving.streams import Sink, Stream, StreamCancelled, close, is_stream
from sagelet.worker.serving.telling import tell
from sagelet.worker.serving.time_limit import TookTooLong
from sagelet.worker.serving.tracebacks import blame
from sagelet.worker.serving.turns import LongHeader, Turn
from sagelet.worker.spec import CONTAINER_LIMIT_BYTES

__all__ = ["Responder", "culprit", "server_error"]

_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Responder:
    """Answers requests with a loaded model; `loaded` is replaced between two requests."""

    def __init__(
        self,
        loaded: LoadedModel,
        context: Context,
        *,
        strict: bool,
        default_accept: str,
        max_request_bytes: int | None = None,
        max_response_bytes: int | None = None,
    ) -> None:
        """Serve what is loaded. The limits are of bodies; None for none."""
        self.context = context
        self.strict = strict
        self._formats = FormatTable(default_accept or media_types.JSON, strict=strict)
        self._max_request_bytes = max_request_bytes
        self._max_response_bytes = max_response_bytes
        self._turn: Turn | None = None
        context.on_part = self._send_part
        self.loaded = loaded

    @property
    def loaded(self) -> LoadedModel:
        """The handlers and the model that answer."""
        return self._loaded

    @loaded.setter
    def loaded(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self.calls = loaded.handlers.bound_to(self.context)

    def answer(
        self, header: Mapping[str, Any], body: bytes, sink: Sink | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Return the header and the body of the answer to a request.

        An answer in parts goes to `sink`, and what is returned is its last part; without one the
        parts are joined.
        """
        turn = self.begin(header, sink)
        refused = self.refusal(turn, body)
        if refused is not None:
            return refused
        try:
            return self.finish(turn, self._run(turn, body))
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            return self.fail(turn, error)

    def trial(
        self, loaded: LoadedModel, header: Mapping[str, Any], body: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """Return what other handlers would answer."""
        served = self._loaded
        self.loaded = loaded
        try:
            return self.answer(header, body)
        finally:
            self.loaded = served

    def begin(self, header: Mapping[str, Any], sink: Sink | None = None) -> Turn:
        """Take up a request."""
        content_type, accept = header.get("content_type"), header.get("accept")
        formats = self._formats.of(content_type, accept)
        request = self.context.begin(header.get("headers"), content_type, accept)
        if formats.differs:
            request.differs = list(formats.differs)
        turn = self._turn = Turn(header, request, formats, sink)
        return turn

    def take_up(self, *turns: Turn) -> None:
        """Come back to a request that was begun, or to several; these have no parts to send."""
        self._turn = turns[0] if len(turns) == 1 else None
        self.context.take_up([turn.request for turn in turns])

    def refusal(self, turn: Turn, body: bytes) -> tuple[dict[str, Any], bytes] | None:
        """Return the answer to a request whose body is over the limit; no handler sees it."""
        if self._max_request_bytes is None:
            if len(body) > CONTAINER_LIMIT_BYTES and not self.strict:
                turn.request.differ("request-too-large")
            return None
        if len(body) <= self._max_request_bytes:
            return None
        return turn.header(HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value, None), b""

    def _run(self, turn: Turn, body: bytes) -> Any:
        calls, formats = self.calls, turn.formats
        data = formats.body_for(body)
        model = self._loaded.model
        if calls.transform is not None:
            turn.enter("transform_fn")
            return calls.transform(model, data, formats.content_type, formats.accept)
        turn.enter("input_fn")
        data = calls.input(data, formats.content_type)
        turn.enter("predict_fn")
        prediction = calls.predict(data, model)
        turn.enter("output_fn")
        return calls.output(prediction, formats.accept)

    def finish(self, turn: Turn, result: Any) -> tuple[dict[str, Any], bytes]:
        """Return the answer that a result of the last handler makes.

        Raises:
            Unserialisable, Refused, LongHeader: it cannot be sent.
        """
        content_type: str | None = turn.formats.label
        if isinstance(result, tuple):
            result, content_type = self._of_tuple(turn, result)
        else:
            for difference in turn.formats.label_differs:
                turn.request.differ(difference)
        try:
            if is_stream(result) and not self.strict:
                self._pump(turn, result, content_type)
                payload = b""
            else:
                payload = to_bytes(result, strict=self.strict)
            turn.check_headers(content_type)
        except (Unserialisable, Refused, LongHeader) as error:
            blame(error, self._last_function())
            raise
        turn.leave()
        limit = self._max_response_bytes
        if len(payload) > (limit or CONTAINER_LIMIT_BYTES):
            if limit is not None:
                return self._too_large(turn, payload, limit)
            if not self.strict:
                turn.request.differ("response-too-large")
        if turn.stream is not None:
            payload = turn.stream.taken() + payload
        status = turn.request.status
        return turn.header(status, content_type), b"" if status in _WITHOUT_BODY else payload

    def fail(self, turn: Turn, error: BaseException) -> tuple[dict[str, Any], bytes]:
        """Return the answer to a request that failed.

        Raises:
            BaseException: the error again, where it is no Exception and the contract is strict,
                since it ends the container's worker; or where it ends a trial.
        """
        if isinstance(error, StreamCancelled):
            return self._cancelled(turn)
        if isinstance(error, TookTooLong) or (self.strict and not isinstance(error, Exception)):
            raise error
        turn.leave()
        failure = failed(error, turn, strict=self.strict)
        if isinstance(error, Unserialisable):
            turn.request.headers.clear()
            status = HTTPStatus.SERVICE_UNAVAILABLE.value
            header = turn.header(status, media_types.JSON)
            payload = server_error(status, str(error))
        else:
            header = turn.header(failure.status, turn.request.headers.get(CONTENT_TYPE))
            payload = failure.text.encode("utf-8", "backslashreplace")
        header.update(failure.facts)
        return header, payload

    def _of_tuple(self, turn: Turn, result: tuple[Any, ...]) -> tuple[Any, str | None]:
        """Return a tuple's body and content type; anything after them is passed over.

        Raises:
            IndexError: it has no content type.
            Refused: the contract is strict, and the content type is no ASCII text.
        """
        body, content_type = result[0], result[1]
        if isinstance(content_type, str):
            difference, problem = "utf8-status", "is not ASCII"
            is_fine = content_type.isascii()
        else:
            difference, problem, is_fine = "answer-metadata", "is no text", False
        if not is_fine:
            if self.strict:
                raise Refused(difference, f"The content type {content_type!r} {problem}.")
            turn.request.differ(difference)
        return body, content_type if content_type is None else str(content_type)

    def _pump(self, turn: Turn, result: Any, content_type: str | None) -> None:
        """Send what a generator produces, part by part."""
        turn.request.differ("generator")
        try:
            for item in result:
                part = self._part(item)
                self._stream(turn, content_type).send(part)
        except Exception as error:
            turn.raised_in = self._loaded.handlers.raised_in(error)
            raise
        finally:
            close(result)

    def _send_part(self, result: Any) -> None:
        """Send what a handler sends before it returns."""
        turn = self._turn
        if turn is None:
            raise RuntimeError("there is no request whose answer this could be a part of")
        label = None if self.strict else turn.formats.label
        stream = self._stream(turn, turn.request.headers.get(CONTENT_TYPE, label))
        stream.send(self._part(result))

    def _part(self, item: Any) -> bytes:
        part = to_bytes(item, strict=self.strict)
        limit = self._max_response_bytes
        if limit is not None and len(part) > limit:
            raise Refused(
                "response-too-large", _too_many_bytes("A part of the answer", part, limit)
            )
        return part

    def _stream(self, turn: Turn, content_type: str | None) -> Stream:
        """Return the stream of a request; an error that a handler answers is not streamed."""
        if turn.stream is None:
            turn.check_headers(content_type)
            sink = turn.sink if turn.request.status < HTTPStatus.BAD_REQUEST else None
            turn.stream = Stream(turn.asked.get("id"), sink, lambda: turn.beginning(content_type))
        return turn.stream

    def _cancelled(self, turn: Turn) -> tuple[dict[str, Any], bytes]:
        turn.leave()
        header = turn.header(turn.request.status, None)
        header["cancelled"] = True
        return header, b""

    def _too_large(self, turn: Turn, payload: bytes, limit: int) -> tuple[dict[str, Any], bytes]:
        text = _too_many_bytes("The answer", payload, limit)
        if self.strict:
            text = str(Refused("response-too-large", text))
        else:
            turn.request.differ("response-too-large")
        tell(text + "\n")
        header = turn.header(HTTPStatus.INTERNAL_SERVER_ERROR.value, None)
        header.update({"where": "", "handler": turn.handler, "error": text})
        return header, text.encode("utf-8")

    def _last_function(self) -> Any:
        handlers = self._loaded.handlers
        return (handlers.transform or handlers.output).function


def _too_many_bytes(what: str, body: bytes, limit: int) -> str:
    return f"{what} has {len(body)} bytes; the limit is {limit}."
