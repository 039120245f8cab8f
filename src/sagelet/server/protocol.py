"""uvicorn's HTTP protocol with the limits that it lacks: on a request head's time and size.

uvicorn waits for ever for the end of a request's head (its issue 157), and buffers any amount of
it. Here a head must arrive within `HEAD_S` and within `HEAD_BYTES`; a peer that goes on sending a
body after it has been answered has `DISCARD_S` to finish.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_S = 10.0
DISCARD_S = 30.0
HEAD_BYTES = 64 * 1024
# An event loop's clock is coarse, and its timers may come a little early.
_COARSE_S = 0.01


class BoundedHttpProtocol(HttpToolsProtocol):
    """httptools' parser under uvicorn, with deadlines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  uvicorn's own signature
        """Start with no request under way."""
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_between = True
        self._in_head = True
        self._in_body = False
        self._answered_at = 0.0
        self._keep_alive = True
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the peer until the deadline to send a head."""
        super().connection_made(transport)
        self._arm(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that is not complete yet."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head or not self._head_bytes or self.transport.is_closing():
            return
        if self._head_bytes > HEAD_BYTES:
            self._refuse(431, "Request Header Fields Too Large")
        elif self._deadline is None:
            self._arm(HEAD_S)

    def on_message_begin(self) -> None:
        """The first byte of a request is there."""
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole: from here the application keeps the time."""
        self._begin_body()
        super().on_headers_complete()
        if self.expect_100_continue:
            # If it is answered instead of being told to go on, nobody can tell whether the bytes
            # that follow are its body or another request: then this connection ends.
            self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_body(self, body: bytes) -> None:
        """The body has begun, so where the next request begins is known again."""
        if self.expect_100_continue:
            self.cycle.keep_alive = self._keep_alive
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; the next head may begin."""
        self._end_body()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer went out; if the body still comes, it must end soon.

        Where nothing but the next request is waited for, the timer of a connection that is kept
        goes on, and looks at when the last answer was: to set one for each answer, and to cancel
        it, takes longer than to write the answer.
        """
        self._answered_at = self.loop.time()
        if self.pipeline or not self._is_between or self.flow.read_paused:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            if self.timeout_keep_alive_task is None and not self.transport.is_closing():
                self._keep_alive_for(self.timeout_keep_alive)
        if self._in_body:
            self._arm(DISCARD_S)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing was asked for as long as it is kept."""
        self.timeout_keep_alive_task = None
        if self._is_answering():
            return  # the end of the answer begins to count anew
        left_s = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left_s > _COARSE_S:
            self._keep_alive_for(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _is_answering(self) -> bool:
        """Return whether a request has come that is not answered yet."""
        before: RequestResponseCycle | None = self.cycle
        return before is not None and not before.response_complete

    def _keep_alive_for(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def _begin_body(self) -> None:
        self._disarm()
        self._in_head, self._in_body, self._head_bytes = False, True, 0

    def _end_body(self) -> None:
        self._disarm()
        self._is_between = self._in_head = True
        self._in_body = False

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._head_bytes:
            self._refuse(408, "Request Timeout")
        else:
            # Nothing was asked, so nothing is answered.
            self.transport.close()

    def _refuse(self, status: int, phrase: str) -> None:
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode("ascii"))
        self.transport.close()
