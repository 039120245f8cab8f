"""The short run for development: ours beside FastAPI, printed and not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.rounds import CONNECTIONS, Figures

_HEADS = ("server", "c", "req/s", "p50 ms", "p99 ms", "CPU us", "1st us", "foreign", "failed")


def report(figures: Mapping[str, Figures], against: str) -> str:
    """Return the figures and their ratios to one of the servers'.

    "CPU us" is the server's CPU time a request, "1st us" that of its first process (our daemon).
    """
    rows = [list(_HEADS)]
    for name, found in figures.items():
        rows += [_row(name, found, connections) for connections in CONNECTIONS]
    ratios = [
        line
        for name, found in figures.items()
        if name != against
        for line in _ratios(name, found, figures[against])
    ]
    problems = [f"{name}: {found.problem}" for name, found in figures.items() if found.problem]
    starts = [
        f"{name}: first 200 after {min(found.starts_s):.2f} s, "
        f"{found.memories[-1].rss_mb:.0f} MB RSS, {found.memories[-1].pss_mb:.0f} MB PSS"
        for name, found in figures.items()
        if found.memories
    ]
    return "\n".join([*aligned(rows), "", *ratios, "", *starts, *problems])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines: the first column to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _row(name: str, found: Figures, connections: int) -> list[str]:
    cell = found.cell(connections)
    if cell is None:
        return [name, str(connections), *("-" * 7)]
    return [
        name,
        str(connections),
        f"{cell.per_second:.0f}",
        f"{cell.p50_ms:.2f}",
        f"{cell.p99_ms:.2f}",
        f"{cell.cpu_us:.0f}",
        f"{cell.root_us:.0f}",
        f"{cell.foreign_cores:.2f}",
        str(cell.failed),
    ]


def _ratios(name: str, found: Figures, other: Figures) -> list[str]:
    lines = []
    for connections in CONNECTIONS:
        ours, theirs = found.cell(connections), other.cell(connections)
        if ours is not None and theirs is not None and theirs.per_second:
            lines.append(
                f"{name} over FastAPI at c={connections}: "
                f"req/s {ours.per_second / theirs.per_second:.2f}, "
                f"p50 {ours.p50_ms / theirs.p50_ms:.2f}, p99 {ours.p99_ms / theirs.p99_ms:.2f}"
            )
    return lines
