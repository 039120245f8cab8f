"""The connection's side of the short path: an invocation that leaves uvicorn before ASGI.

    a piece of the connection ── one usual request? ── yes ───┐   (or its head, then its body)
         │ no                                                 │
    httptools: head complete ── unusual? ─────────────────────│──> uvicorn, ASGI, AwsFace
         │                                                    │
    body collected, within a deadline                         │
         │ <──────────────────────────────────────────────────┘
    Invocations.begin ── not surely ours to serve? ───────────────> uvicorn, with head and body
         │
    the future is done ── one write; the next request

All else of HTTP stays uvicorn's: a request that comes while another is answered (pipelining), that
waits for 100 Continue, that is chunked or of HTTP/1.0. `Call` stands where uvicorn has its own
cycle of request and response, so that its pipeline, keep-alive and shutdown know of the call.
"""

from __future__ import annotations

import logging
from asyncio import Future
from typing import Any

from sagelet.domain.invocation import Answer
from sagelet.server import bodies
from sagelet.server.invocations import Asked, Invocations, Repeated, Usual
from sagelet.server.protocol import BoundedHttpProtocol

log = logging.getLogger(__name__)


class _Unheard:
    """Where uvicorn would wake whoever reads a request, nobody reads."""

    def set(self) -> None:
        """Wake nobody."""


class Call:
    """One invocation on its way. What uvicorn asks of its own cycles, it finds here too."""

    __slots__ = ("asked", "disconnected", "future", "keep_alive", "parts", "response_complete")

    message_event = _Unheard()

    def __init__(self, asked: Asked, *, keep_alive: bool) -> None:
        """Begin with a head and no body."""
        self.asked = asked
        self.keep_alive = keep_alive
        self.parts: list[bytes] = []
        self.future: Future[Answer] | None = None
        self.response_complete = False
        self.disconnected = False


class InvocationProtocol(BoundedHttpProtocol):
    """Takes the usual InvokeEndpoint out of the stream of requests, and answers it."""

    def __init__(self, *args: Any, invocations: Invocations, **kwargs: Any) -> None:  # noqa: ANN401  uvicorn's own signature
        """Start with no call under way."""
        super().__init__(*args, **kwargs)
        self._invocations = invocations
        self._arriving: Call | None = None
        self._running: Call | None = None
        self._repeated: Repeated | None = None
        self._held: Usual | None = None

    def data_received(self, data: bytes) -> None:
        """Take a request that has come whole; give a body that has not a time to come."""
        if self._is_between and self._takes(data):
            return
        super().data_received(data)
        if self._arriving is not None and self._deadline is None:
            self._arm(bodies.BODY_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Withdraw what has not been started; what runs, runs to its end for nobody."""
        self._arriving = self._held = None
        call = self._running
        if call is not None and call.future is not None and call.future.cancel():
            log.info("499: the client of endpoint %s left", call.asked.endpoint)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Answer what has come, then end."""
        self._let_go()
        super().shutdown()

    def on_headers_complete(self) -> None:
        """Take the request if it is an invocation, and nothing about its head is unusual."""
        asked = self._taken()
        if asked is None:
            super().on_headers_complete()
            return
        self._begin_body()
        call = Call(asked, keep_alive=self.parser.should_keep_alive())
        self._arriving = self.cycle = call  # type: ignore[assignment]  # see Call

    def on_body(self, body: bytes) -> None:
        """Collect the body; its Content-Length is within bounds."""
        if self._arriving is None:
            super().on_body(body)
        else:
            self._arriving.parts.append(body)

    def on_message_complete(self) -> None:
        """Begin the invocation; if it is not surely one, uvicorn gets all of it after all."""
        call, self._arriving = self._arriving, None
        if call is None:
            super().on_message_complete()
            return
        body = call.parts[0] if len(call.parts) == 1 else b"".join(call.parts)
        call.future = self._invocations.begin(call.asked, body)
        if call.future is None:
            call.response_complete = True
            super().on_headers_complete()
            super().on_body(body)
            super().on_message_complete()
            return
        self._end_body()
        self._running = call
        call.future.add_done_callback(self._answered)

    def _takes(self, data: bytes) -> bool:
        """Begin the invocation that a piece of the connection is, if it is exactly one.

        A head whose body is yet to come is held until the next piece.
        """
        usual = self._held
        body = data
        if usual is None:
            if self._is_answering() or self.flow.write_paused or self.transport.is_closing():
                return False
            found = self._invocations.usual(data, self._repeated)
            if found is None:
                return False
            usual, body = found
            if not body and usual.size:
                self._held = usual
                self._arm(bodies.BODY_S)
                return True
        begun = self._invocations.begin_usual(usual, body) if len(body) == usual.size else None
        if begun is None:
            self._repeated = None
            self._let_go()
            return False
        self._held = None
        self._repeated, future = begun
        self._disarm()
        call = Call(usual.asked, keep_alive=True)
        call.future = future
        self._running = self.cycle = call  # type: ignore[assignment]  # see Call
        future.add_done_callback(self._answered)
        return True

    def _let_go(self) -> None:
        """Let httptools have a head that was held after all; its time goes on."""
        usual, self._held = self._held, None
        if usual is None:
            return
        until = self._deadline.when() if self._deadline is not None else 0.0
        super().data_received(usual.head)
        if self._arriving is not None:
            self._arm(max(0.0, until - self.loop.time()))

    def _is_answering(self) -> bool:
        return self._held is not None or super()._is_answering()

    def _taken(self) -> Asked | None:
        if self._is_answering() or self.flow.write_paused or self.expect_100_continue:
            return None
        parser = self.parser
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return None
        return None if parser.should_upgrade() else self._invocations.asked(self.url, self.headers)

    def _answered(self, future: Future[Answer]) -> None:
        self._invocations.in_flight -= 1
        call, self._running = self._running, None
        if future.cancelled():
            self.transport.close()
        elif call is not None:
            self._reply(call, future.exception() or future.result())

    def _too_slow(self) -> None:
        self._let_go()
        self._disarm()
        call, self._arriving = self._arriving, None
        if call is None:
            super()._too_slow()
            return
        self._reply(call, bodies.too_slow())

    def _reply(self, call: Call, result: Answer | BaseException) -> None:
        """Write an answer as uvicorn would, and let it go on with the connection."""
        call.response_complete = True
        if self.transport.is_closing():
            return
        fields = self.server_state.default_headers
        self.transport.write(
            self._invocations.answer(call.asked, result, fields, keep_alive=call.keep_alive)
        )
        if not call.keep_alive:
            self.transport.close()
        self.on_response_complete()
