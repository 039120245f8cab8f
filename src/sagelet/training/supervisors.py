"""The supervisors of a job's hosts, watched together, and the steps by which they are ended.

A supervisor passes SIGTERM on to its processes and kills them when their grace is over; at SIGUSR1
they write their stacks into the log.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Mapping
from enum import Enum
from types import TracebackType
from typing import Self

from sagelet.supervision.process import ProcessId
from sagelet.training.records import HostStarted
from sagelet.training.waiting import LOOK_AGAIN_S, ProcessWatch, Signals
from sagelet.worker import processes

OVERDUE_S = 30.0
"""How long after the grace a supervisor may take to end before it is killed itself."""

STACKS_WITHIN_S = 0.3
"""How long processes have to write their stacks before they are asked to end."""

OTHERS_GRACE_S = 4.0
"""How long the processes of other hosts have to end after one has failed."""

OTHERS_OVERDUE_S = 3.0
EXPLAINED_WITHIN_S = 0.5
"""How long a host that another one lost its connection with has to tell of its own error."""


class Step(Enum):
    """What is done to every host that still runs."""

    LOOK = "their stacks"
    ASK = "SIGTERM"
    KILL = "SIGKILL for their processes"
    END = "SIGKILL for themselves"


class Steps:
    """Knows which step is due when. Times are monotonic."""

    def __init__(self) -> None:
        """Nothing is due before one of the beginnings."""
        self._plan: list[tuple[float, Step]] = []
        self.is_begun = False
        self._is_at_once = False

    def stop(self, grace_s: float) -> None:
        """Ask now; the supervisors know the grace of their processes."""
        self._begin((0.0, Step.ASK), (grace_s + OVERDUE_S, Step.END))

    def out_of_time(self, grace_s: float) -> None:
        """Ask after a look at where the processes are: one may have waited for another in vain."""
        asked_s = STACKS_WITHIN_S
        self._begin(
            (0.0, Step.LOOK), (asked_s, Step.ASK), (asked_s + grace_s + OVERDUE_S, Step.END)
        )

    def at_once(self) -> None:
        """Kill what runs, whatever was planned; the supervisors know then that it was a stop."""
        if not self._is_at_once:
            self._is_at_once = True
            self._begin((0.0, Step.ASK), (0.0, Step.KILL), (OVERDUE_S, Step.END))

    def failure(self, *, explained: bool, timed_out: bool) -> None:
        """End what is left of a job one of whose hosts has failed, all of it within 10 s."""
        asked_s = 0.0 if explained else EXPLAINED_WITHIN_S
        look = [(asked_s, Step.LOOK)] if timed_out else []
        asked_s += STACKS_WITHIN_S if timed_out else 0.0
        killed_s = asked_s + OTHERS_GRACE_S
        self._begin(
            *look,
            (asked_s, Step.ASK),
            (killed_s - STACKS_WITHIN_S, Step.LOOK),
            (killed_s, Step.KILL),
            (killed_s + OTHERS_OVERDUE_S, Step.END),
        )

    def _begin(self, *plan: tuple[float, Step]) -> None:
        now = time.monotonic()
        self._plan = [(now + after_s, step) for after_s, step in plan]
        self.is_begun = True

    @property
    def next_at(self) -> float | None:
        """When the next step is due; None where none is planned."""
        return self._plan[0][0] if self._plan else None

    def due(self) -> list[Step]:
        """Return the steps to take now, which are then taken; the last one comes again."""
        now, due = time.monotonic(), []
        while self._plan and self._plan[0][0] <= now:
            due.append(self._plan.pop(0)[1])
        if self.is_begun and not self._plan:
            self._plan = [(now + OVERDUE_S, Step.END)]
        return due


class Supervisors:
    """The supervisors of a job's hosts, until the last has ended."""

    def __init__(self, hosts: Mapping[str, HostStarted], signals: Signals) -> None:
        """Begin to watch."""
        self._watches = {
            name: ProcessWatch(ProcessId(host.pid, host.started_at)) for name, host in hosts.items()
        }
        self._signals = signals

    def __enter__(self) -> Self:
        """Watch for as long as the body runs."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Give the descriptors back."""
        for watch in self._watches.values():
            watch.close()

    def take_ended(self) -> list[str]:
        """Return the hosts that have ended since the last time."""
        ended = [name for name, watch in self._watches.items() if watch.has_ended]
        for name in ended:
            self._watches.pop(name).close()
        return ended

    @property
    def are_running(self) -> bool:
        """Whether there is one that has not been taken as ended."""
        return bool(self._watches)

    def take(self, step: Step) -> None:
        """Take a step with each that runs."""
        for watch in self._watches.values():
            match step:
                case Step.LOOK:
                    watch.signal(signal.SIGUSR1)
                case Step.ASK:
                    watch.signal(signal.SIGTERM)
                case Step.KILL:
                    _kill_below(watch)
                case Step.END:
                    watch.signal(signal.SIGKILL)

    def wait(self, timeout_s: float) -> None:
        """Wait until one ends, a signal comes, or the time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._signals, selectors.EVENT_READ)
            for watch in self._watches.values():
                if watch.descriptor is None:
                    timeout_s = min(timeout_s, LOOK_AGAIN_S)
                else:
                    selector.register(watch.descriptor, selectors.EVENT_READ)
            selector.select(max(0.0, timeout_s))
        self._signals.drain()


def _kill_below(watch: ProcessWatch) -> None:
    """Kill what a supervisor runs; it then tells of their end as of any other."""
    if watch.has_ended:
        return
    for pid in processes.descendants(watch.process.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
