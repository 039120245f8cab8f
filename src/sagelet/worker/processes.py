"""What Linux's /proc says of processes: when one started, and who descends from whom."""

from __future__ import annotations

import os
from dataclasses import dataclass

_DEAD = "ZXx"


@dataclass(frozen=True)
class ProcessStat:
    """One process. `started_s` counts from the machine's start, so no clock's jump changes it."""

    pid: int
    state: str
    parent: int
    started_s: float

    @property
    def is_dead(self) -> bool:
        """Whether all that is left is an exit code that nobody has collected."""
        return self.state in _DEAD


def read_stat(pid: int) -> ProcessStat | None:
    """Return what /proc says of a process, or None where there is none (or no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - 20 us less, hundreds of times
            text = file.read()
    except OSError:
        return None
    # The command's name is in parentheses and may hold anything, parentheses too.
    fields = text[text.rindex(")") + 2 :].split()
    return ProcessStat(pid, fields[0], int(fields[1]), int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def descendants(root: int) -> list[int]:
    """Return the living processes below one, children first; nothing where there is no /proc."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - as above
    except OSError:
        return []
    children: dict[int, list[int]] = {}
    for stat in map(read_stat, pids):
        if stat is not None and not stat.is_dead:
            children.setdefault(stat.parent, []).append(stat.pid)
    found = list(children.get(root, ()))
    for pid in found:  # grows while it is walked
        found += children.get(pid, ())
    return found
