"""Everything that one run has found; what failed is None or empty, with a line saying why."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.edits import EditFigures
from benchmarks.limits import ECHO, HandlerTimes
from benchmarks.packing import PackingTimes
from benchmarks.rounds import Figures
from benchmarks.samples import Sample
from benchmarks.starting import Starts
from benchmarks.training import TrainingTimes

OURS = "Sagelet, one call a request"
COALESCED = "Sagelet, coalesced"


@dataclass
class Results:
    """A run's findings. `peers` names the servers to compare with, the first of them FastAPI."""

    figures: Mapping[str, Figures] = field(default_factory=dict)
    peers: Sequence[str] = ()
    edits: list[EditFigures] = field(default_factory=list)
    handlers: HandlerTimes | None = None
    starts: Starts | None = None
    training: TrainingTimes | None = None
    packing: PackingTimes | None = None
    load_s: float | None = None
    second_worker_mb: float | None = None
    profile: str = ""
    problems: list[str] = field(default_factory=list)
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def cell(self, server: str, connections: int) -> Sample | None:
        """Return a server's figure for a number of connections."""
        found = self.figures.get(server)
        return found.cell(connections) if found is not None else None

    def best_peer(self, connections: int) -> tuple[str, Sample] | None:
        """Return the peer that answers most requests a second."""
        found = [(name, cell) for name in self.peers if (cell := self.cell(name, connections))]
        return max(found, key=lambda named: named[1].per_second, default=None)

    def possible(self, connections: int, *, batched: bool) -> float | None:
        """Return how many requests a second all cores could answer: the handlers, HTTP and the
        load generator take their CPU time, and nothing else takes any.
        """
        echo = self.cell(ECHO, connections)
        if self.handlers is None or echo is None:
            return None
        handlers_us = self.handlers.batched_us if batched else self.handlers.one_us
        return self.cores * 1e6 / (handlers_us + echo.cpu_us + echo.client_us)

    def edited(self, name: str) -> EditFigures | None:
        """Return the figures of one way of editing."""
        found = next((edits for edits in self.edits if edits.name == name), None)
        return found if found is not None and found.edits else None
