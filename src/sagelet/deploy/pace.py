"""How often to ask an API that is busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(slots=True)
class Pace:
    """How often to ask: at once, then less and less often. Time and pauses can be handed in.

    The local server holds a waiter's call until something changes, so there the pauses hardly
    count; AWS answers at once.
    """

    first_s: float = 0.05
    growth: float = 1.5
    longest_s: float = 10.0
    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = _pause
    _next_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the first pause."""
        self._next_s = self.first_s

    def wait(self) -> None:
        """Pause once, and longer the next time."""
        self.pause(self._next_s)
        self._next_s = min(self.longest_s, self._next_s * self.growth)
