"""Where the processes of a job meet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """The place of the process with rank 0, as the others find it: MASTER_ADDR and MASTER_PORT."""

    address: str
    port: int
