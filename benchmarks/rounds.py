"""Servers in turn, round after round: A B C, A B C, so that a noisy minute is shared by all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import wrk
from benchmarks.machine import Memory, Meter, memory
from benchmarks.material import BODY, Material
from benchmarks.samples import Sample, cell
from benchmarks.servers import FAILURES, DidNotRun, Running, Server

CONNECTIONS = (1, 8, 64)
Say = Callable[[str], None]


@dataclass
class Figures:
    """What one server did in all rounds; `problem` says why it was not measured to the end."""

    version: str = ""
    starts_s: list[float] = field(default_factory=list)
    windows: dict[int, list[Sample]] = field(default_factory=dict)
    memories: list[Memory] = field(default_factory=list)
    problem: str = ""

    @property
    def start_s(self) -> float | None:
        """The median time from nothing to the first 200."""
        return statistics.median(self.starts_s) if self.starts_s else None

    def cell(self, connections: int) -> Sample | None:
        """Return the figure for a number of connections, if there is one."""
        samples = self.windows.get(connections)
        return cell(samples) if samples else None


@dataclass(frozen=True)
class Plan:
    """How often and how long each server is measured; `fewer` names those with fewer rounds."""

    rounds: int
    seconds: float
    connections: Sequence[int] = CONNECTIONS
    fewer: Sequence[str] = ()

    def includes(self, server: Server, number: int) -> bool:
        """Say whether a server takes part in a round, the first of which is number 0."""
        return server.name not in self.fewer or number < (self.rounds + 1) // 2


def measure(
    servers: Sequence[Server], material: Material, plan: Plan, say: Say
) -> dict[str, Figures]:
    """Measure servers; one that fails is left out from then on, and the others go on."""
    figures = {server.name: Figures() for server in servers}
    for number in range(plan.rounds):
        for server in servers:
            found = figures[server.name]
            if found.problem or not plan.includes(server, number):
                continue
            say(f"round {number + 1} of {plan.rounds}: {server.name}")
            try:
                _once(server, material, plan, found)
            except FAILURES as error:
                found.problem = f"{type(error).__name__}: {error}"
                say(f"{server.name} did not run: {found.problem}")
    return figures


def window(running: Running, connections: int, seconds: float) -> Sample:
    """Put a server under load once, with a signature made for it.

    Raises:
        DidNotRun: it answered nothing.
    """
    meter = Meter(running.root_pid)
    load = wrk.run(running.url, running.headers(), BODY, connections=connections, seconds=seconds)
    spent = meter.read()
    if load.requests == load.failed:
        raise DidNotRun(f"under load from {connections} connections nothing was answered")
    return Sample.of(load, spent)


def _once(server: Server, material: Material, plan: Plan, found: Figures) -> None:
    found.version = found.version or server.version()
    with server.run(material) as running:
        found.starts_s.append(running.start_s)
        window(running, 8, server.warm_s)
        for connections in plan.connections:
            sample = window(running, connections, plan.seconds)
            found.windows.setdefault(connections, []).append(sample)
        found.memories.append(memory(running.root_pid))
