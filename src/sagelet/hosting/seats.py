"""A worker's place in a pool: until when it may answer, and what it is asked between requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.hosting.connection import ConnectionGone
from sagelet.hosting.worker import Worker
from sagelet.worker.frames import Frame


@dataclass(eq=False, slots=True)
class Errand:
    """Something that a worker is asked between two requests, before any other request."""

    header: Mapping[str, Any]
    reply: asyncio.Future[Frame]

    def run(self, worker: Worker) -> None:
        """Ask it; the reply, or ConnectionGone, is handed on."""
        try:
            worker.connection.ask(self.header).add_done_callback(self._hand_on)
        except ConnectionGone as gone:
            self.fail(gone)

    def fail(self, error: BaseException) -> None:
        """End it without a reply."""
        if not self.reply.done():
            self.reply.set_exception(error)

    def _hand_on(self, reply: asyncio.Future[Frame]) -> None:
        error = reply.exception()
        if error is not None:
            self.fail(error)
        elif not self.reply.done():
            self.reply.set_result(reply.result())


@dataclass(eq=False, slots=True)
class Seat:
    """A worker's place; the timer belongs to the request that it runs."""

    worker: Worker
    timer: asyncio.TimerHandle | None = None
    errands: deque[Errand] = field(default_factory=deque)

    def queue(self, header: Mapping[str, Any], within_s: float | None) -> asyncio.Future[Frame]:
        """Ask the worker something when it is free next; TimeoutError if that takes too long."""
        loop = asyncio.get_running_loop()
        errand = Errand(header, loop.create_future())
        self.errands.append(errand)
        if within_s is not None:
            loop.call_later(within_s, self._withdraw, errand)
        return errand.reply

    def stop_timer(self) -> None:
        """The worker has answered, or will not: no limit any more."""
        if self.timer is not None:
            self.timer.cancel()

    def leave(self) -> None:
        """The worker is gone: nothing of what it was to be asked has been asked."""
        self.stop_timer()
        for errand in self.errands:
            errand.fail(ConnectionGone(asked=False))

    def _withdraw(self, errand: Errand) -> None:
        if errand in self.errands:
            self.errands.remove(errand)
            errand.fail(TimeoutError())
