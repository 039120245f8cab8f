"""The requests that wait for a worker: oldest first, and no more than so many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import inf

from sagelet.errors import QueueFull
from sagelet.hosting.tickets import Ticket


class Line:
    """A bounded queue. Who has left is passed over, and forgotten when room is needed."""

    def __init__(self, endpoint: str, limit: int) -> None:
        """Let at most so many wait."""
        self._endpoint = endpoint
        self._limit = limit
        self._tickets: deque[Ticket] = deque()

    def __len__(self) -> int:
        """Return how many wait, those among them that have left included."""
        return len(self._tickets)

    def join(self, ticket: Ticket) -> None:
        """Put a request at the end.

        Raises:
            QueueFull: too many wait already.
        """
        if len(self._tickets) >= self._limit and self.count() >= self._limit:
            raise QueueFull(endpoint=self._endpoint, waiting=len(self._tickets))
        self._tickets.append(ticket)

    def put_back(self, tickets: Iterable[Ticket]) -> None:
        """Put requests that have waited already in front of all others."""
        self._tickets.extendleft(reversed([each for each in tickets if not each.reply.done()]))

    def next(self) -> Ticket | None:
        """Take the oldest request that somebody still waits for."""
        while self._tickets:
            ticket = self._tickets.popleft()
            if not ticket.reply.done():
                return ticket
        return None

    def several(self, limit: int) -> list[Ticket]:
        """Take the oldest requests, up to so many; one that goes alone is taken alone."""
        taken: list[Ticket] = []
        while len(taken) < limit and (ticket := self.next()) is not None:
            if taken and ticket.goes_alone:
                self._tickets.appendleft(ticket)
                break
            taken.append(ticket)
            if ticket.goes_alone:
                break
        return taken

    def count(self) -> int:
        """Return how many wait, and forget those that have left."""
        self._tickets = deque(each for each in self._tickets if not each.reply.done())
        return len(self._tickets)

    def wait_until(self, deadline: float) -> None:
        """Let all wait until then."""
        for ticket in self._tickets:
            ticket.deadline = deadline

    def expire(self, generation: int, now: float) -> float:
        """Answer those whose time is over; return when the next one's is."""
        for ticket in self._tickets:
            if ticket.deadline <= now:
                ticket.expire(generation, now)
        return min((ticket.deadline for ticket in self._tickets), default=inf)
