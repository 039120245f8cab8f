"""How a worker's process ended, and whether the kernel killed it for want of memory."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from sagelet.hosting import failures

_GIB = 2**30
_MIB = 2**20
_KILLS = "oom_kill"


@dataclass(frozen=True, slots=True)
class Death:
    """The end of a process. `exit_code` is negative for a signal; `peak_bytes` 0 where unknown."""

    exit_code: int
    peak_bytes: int = 0
    is_out_of_memory: bool = False

    @property
    def status(self) -> int:
        """The status of the answer to the request that it ran."""
        return failures.status_of_death(self.exit_code)

    @property
    def cause(self) -> str:
        """How it ended, to go on from `a worker`."""
        if self.is_out_of_memory:
            return f"ran out of memory{self._peak} and was killed"
        return failures.cause_of_death(self.exit_code) + (
            self._peak if self.exit_code == -signal.SIGKILL else ""
        )

    @property
    def text(self) -> str:
        """What the request that it ran is answered: the model server's words, then the cause."""
        if self.is_out_of_memory:
            return f"Worker died. It ran out of memory{self._peak}."
        if self.exit_code < 0:
            return f"Worker died. It {failures.cause_of_death(self.exit_code)}."
        return "Worker died."

    @property
    def _peak(self) -> str:
        return f" (peak {_size(self.peak_bytes)})" if self.peak_bytes else ""


class OutOfMemoryKills:
    """The kernel's own count of processes that it has killed for want of memory.

    A control group's count is of its own processes; where there is none, the machine's counts.
    """

    def __init__(self, files: tuple[Path, ...] | None = None) -> None:
        """Read the first of the files that can be read."""
        self._files = (*_of_own_group(), Path("/proc/vmstat")) if files is None else files

    def count(self) -> int:
        """Return how many there have been; always 0 on a system that does not count."""
        for file in self._files:
            try:
                lines = file.read_text(encoding="ascii").splitlines()
            except (OSError, ValueError):
                continue
            counts = dict(line.split(" ", 1) for line in lines if " " in line)
            if _KILLS in counts:
                return int(counts[_KILLS])
        return 0


def _of_own_group() -> tuple[Path, ...]:
    """Return the file of this process's control group; workers are in the same one."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    root = Path("/sys/fs/cgroup")
    groups = [line.removeprefix("0::").lstrip("/") for line in lines if line.startswith("0::")]
    return tuple(root / group / "memory.events" for group in groups)


def _size(size_bytes: int) -> str:
    if size_bytes >= _GIB:
        return f"{size_bytes / _GIB:.1f} GiB"
    return f"{size_bytes / _MIB:.0f} MiB"
