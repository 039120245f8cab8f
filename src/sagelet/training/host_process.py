"""How a host's process is run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """The fields of HostOrder that a contract decides."""

    argv: tuple[str, ...]
    cwd: str
    way: str = "script"
