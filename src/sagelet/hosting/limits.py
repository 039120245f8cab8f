"""The time limits of a pool, kept by one timer for the earliest of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

_AT_LEAST_S = 0.001
"""An event loop's clock is coarse: a timer may come a little early, and is set anew then."""


class Limits:
    """Calls `look` when the earliest limit that it was told of is over.

    `look` gets the time and returns the earliest limit that is left. Requests of one pool have the
    same limit, so that the next one's is later than the one that is waited for: a request sets no
    timer, and its end cancels none.
    """

    def __init__(self, look: Callable[[float], float]) -> None:
        """Wait for nothing yet."""
        self._look = look
        self._timer: asyncio.TimerHandle | None = None
        self.next = inf

    def watch(self, at: float) -> None:
        """Look no later than this, on the clock of `time.monotonic`."""
        if at < self.next:
            self.close()
            self.next = at
            delay_s = max(at - monotonic(), _AT_LEAST_S)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._is_over)

    def close(self) -> None:
        """Wait for nothing any more."""
        self.next = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_over(self) -> None:
        self.next, self._timer = inf, None
        self.watch(self._look(monotonic()))
