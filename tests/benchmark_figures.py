"""Builders of what a run finds."""

from __future__ import annotations

from benchmarks.edits import Edit, EditFigures
from benchmarks.limits import HandlerTimes
from benchmarks.machine import Memory
from benchmarks.results import COALESCED, OURS, Results
from benchmarks.rounds import CONNECTIONS, Figures
from benchmarks.samples import Sample
from benchmarks.starting import Starts
from benchmarks.training import Race, TrainingTimes


def a_sample(
    per_second: float = 1000.0,
    *,
    p50_ms: float = 1.0,
    p99_ms: float = 2.0,
    failed: int = 0,
    cpu_us: float = 300.0,
    client_us: float = 10.0,
    foreign_cores: float = 0.0,
) -> Sample:
    """Return a window of load."""
    return Sample(per_second, p50_ms, p99_ms, failed, cpu_us, 100.0, client_us, foreign_cores)


def some_figures(sample: Sample) -> Figures:
    """Return figures that are the same at each number of connections."""
    return Figures(
        version="thing 1.0",
        starts_s=[1.5],
        windows={connections: [sample] for connections in CONNECTIONS},
        memories=[Memory(500.0, 400.0, 50.0)],
    )


def some_results(ours: Sample, coalesced: Sample, peers: dict[str, Sample]) -> Results:
    """Return a whole run's findings, but for the edits."""
    servers = {OURS: ours, COALESCED: coalesced, **peers}
    servers["bare echo"] = a_sample(100_000, cpu_us=10, client_us=10)
    return Results(
        figures={name: some_figures(sample) for name, sample in servers.items()},
        peers=tuple(peers),
        handlers=HandlerTimes(one_us=80.0, batched_us=20.0),
        starts=Starts(0.1, 1.5, 0.1, 0.2, 0.7, 50.0),
        training=TrainingTimes(job=Race(0.2, 2.0, 0.1), command=Race(0.6, 2.0, 0.3)),
        load_s=0.005,
        second_worker_mb=20.0,
        cores=2,
    )


def an_edit(seconds: float = 0.01, *, failed: int = 0) -> Edit:
    """Return an edit among 100 requests."""
    return Edit(seconds, 0.005, failed, 100)


def edited(name: str, *edits: Edit) -> EditFigures:
    """Return what edits came to."""
    return EditFigures(name, edits)
