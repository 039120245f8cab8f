"""The steps by which processes end that have to: they are asked, looked at, and killed."""

from __future__ import annotations

from enum import Enum

_STACKS_WITHIN_S = 0.3
_AGAIN_AFTER_S = 5.0


class Step(Enum):
    """What is due."""

    ASK = "SIGTERM"
    LOOK = "their stacks"
    KILL = "SIGKILL"


class Ladder:
    """Knows which step is due when. Times are monotonic."""

    def __init__(self) -> None:
        """Nothing is due before `begin`."""
        self.until: float | None = None
        self.grace_s = 0.0
        self._next = Step.ASK

    @property
    def is_begun(self) -> bool:
        """Whether the processes are to end."""
        return self.until is not None

    def begin(self, at: float, grace_s: float) -> None:
        """Ask at a time, and give so many seconds from there."""
        self.until, self.grace_s = at, grace_s

    def due(self, now: float) -> Step | None:
        """Return the step to take now, which is then taken; None where it is too early."""
        if self.until is None or now < self.until:
            return None
        step = self._next
        if step is Step.ASK:
            self.until, self._next = now + self.grace_s, Step.LOOK
        elif step is Step.LOOK:
            self.until, self._next = now + _STACKS_WITHIN_S, Step.KILL
        else:
            self.until = now + _AGAIN_AFTER_S
        return step
