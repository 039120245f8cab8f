"""A request whose log lines somebody wants."""

from __future__ import annotations

import asyncio
from typing import Any

from sagelet.domain.invocation import Invocation
from sagelet.hosting.heads import Heads
from sagelet.hosting.replies import Replies
from sagelet.hosting.tickets import Ticket
from sagelet.hosting.traces import Traces
from sagelet.worker.frames import frame_of


class TracedTicket(Ticket):
    """One request, alone: its worker marks where in its output the request begins and ends."""

    goes_alone = True
    __slots__ = ("_traces",)

    def __init__(
        self,
        number: int,
        invocation: Invocation,
        reply: asyncio.Future[Any],
        replies: Replies,
        limit_s: float,
        now: float,
        traces: Traces,
    ) -> None:
        """Take a request that has just come."""
        super().__init__(number, invocation, reply, replies, limit_s, now)
        self._traces = traces
        reply.add_done_callback(self._record)

    def frame(self, heads: Heads) -> bytes:
        """Return it as a worker gets it."""
        token = self._traces.of(self.invocation.trace).token
        head = heads.invoke_traced(self.number, self.invocation, token)
        return frame_of(head, self.invocation.body)

    def _record(self, reply: asyncio.Future[Any]) -> None:
        """Tell the history in any case."""
        if not reply.cancelled() and reply.exception() is None:
            self.replies.recorder.keep(self.invocation, reply.result())
