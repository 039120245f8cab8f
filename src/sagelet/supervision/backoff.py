"""How long to wait before the next try, and when to stop trying."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

DELAYS_S = (0, 1, 1, 2, 3, 5, 8, 13, 30)


class Backoff:
    """Delays that grow, the last of them for ever."""

    def __init__(self, delays_s: Sequence[float] = DELAYS_S) -> None:
        """Begin with the first delay."""
        self._delays_s = tuple(delays_s)
        self._tries = 0

    def next(self) -> float:
        """Return the seconds to wait before the next try."""
        delay_s = self._delays_s[min(self._tries, len(self._delays_s) - 1)]
        self._tries += 1
        return delay_s

    def reset(self) -> None:
        """Begin again with the first delay: it worked, or its cause is gone."""
        self._tries = 0


class CrashBreaker:
    """Opens when something crashes too often in too short a time, and stays open until reset."""

    def __init__(
        self,
        *,
        crashes: int = 5,
        within_s: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow fewer than so many crashes within so many seconds."""
        self._within_s = within_s
        self._monotonic = monotonic
        self._times: deque[float] = deque(maxlen=crashes)
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether to stop trying."""
        return self._is_open

    def record(self) -> bool:
        """Count a crash; return whether the breaker is open now."""
        self._times.append(self._monotonic())
        full = len(self._times) == self._times.maxlen
        if full and self._times[-1] - self._times[0] <= self._within_s:
            self._is_open = True
        return self._is_open

    def reset(self) -> None:
        """Forget all crashes: what caused them was changed."""
        self._times.clear()
        self._is_open = False
