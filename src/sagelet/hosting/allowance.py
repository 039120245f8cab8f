"""How much of what a worker prints is kept: a burst at once, and so much with every second."""

from __future__ import annotations

from dataclasses import dataclass

_LINE_COST = 32
"""Bytes that a line counts for beyond its own: a flood of empty lines is one, too."""


@dataclass(slots=True)
class Allowance:
    """A purse of bytes that fills up again; `now` is any clock that never goes back."""

    burst_bytes: int = 4 * 2**20
    bytes_a_second: int = 2**20
    _spent: float = 0.0
    _at: float = 0.0

    def take(self, data: bytes, now: float) -> bool:
        """Pay for some output; False where there is not enough left for it."""
        self._spent = max(0.0, self._spent - (now - self._at) * self.bytes_a_second)
        self._at = now
        spent = self._spent + len(data) + _LINE_COST * data.count(b"\n")
        if spent > self.burst_bytes:
            return False
        self._spent = spent
        return True
