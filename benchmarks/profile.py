"""Where the time goes under load: py-spy and perf look at the daemon, and at one of its workers."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import perf
from benchmarks.environments import python
from benchmarks.material import Material
from benchmarks.ours import Ours
from benchmarks.rounds import window
from benchmarks.servers import DidNotRun, Running

CONNECTIONS = 8
SECONDS = 4
RATE = 250
# Reading the symbols of torch takes both tools a while.
START_S = 7
TOP = 14


@dataclass(frozen=True)
class Spot:
    """A function, the share of the samples in it, and in it or what it calls."""

    name: str
    own: float
    whole: float


def profile(material: Material) -> str:
    """Return, as Markdown, where the daemon and a worker are when 8 connections ask.

    Raises:
        DidNotRun: py-spy cannot be had, or may not look.
    """
    spy = python("profile").parent / "py-spy"
    with Ours("ours").run(material) as running:
        window(running, CONNECTIONS, 2)
        looks = {"The daemon": running.root_pid, "One worker": _busiest(running)}
        return "\n\n".join(
            f"{who} at c={CONNECTIONS}. {_looked_at(spy, running, pid)}"
            for who, pid in looks.items()
        )


def parse(raw: str) -> Counter[tuple[str, ...]]:
    """Read py-spy's raw format: frames from the outermost, `;` between them, then a count."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in raw.splitlines():
        frames, _, count = line.rpartition(" ")
        if frames:
            stacks[tuple(frames.split(";"))] += int(count)
    return stacks


def spots(stacks: Counter[tuple[str, ...]]) -> list[Spot]:
    """Return the functions with the most samples of their own."""
    total = sum(stacks.values())
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for frames, count in stacks.items():
        own[frames[-1]] += count
        for frame in set(frames):
            whole[frame] += count
    return [Spot(name, count / total, whole[name] / total) for name, count in own.most_common(TOP)]


def markdown(found: Sequence[Spot]) -> str:
    """Return spots as a table."""
    if not found:
        return "(py-spy saw nothing.)"
    rows = [f"| {100 * spot.own:.1f} | {100 * spot.whole:.1f} | `{spot.name}` |" for spot in found]
    return "\n".join(["| % own | % with callees | function |", "|---|---|---|", *rows])


def _looked_at(spy: Path, running: Running, pid: int) -> str:
    """Look at one process with one tool after the other, while the load goes on."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as side:
        file = Path(folder, "stacks.txt")
        load = side.submit(window, running, CONNECTIONS, 2 * SECONDS + START_S)
        busy = perf.record(pid, SECONDS) if perf.is_there() else None
        _record(spy, pid, file)
        load.result()
        python_table = markdown(spots(parse(file.read_text())))
    shown = perf.markdown(busy) if busy else "(perf is not installed.)"
    return f"{shown}\n\nIn Python, waiting included:\n\n{python_table}"


def _record(spy: Path, pid: int, file: Path) -> None:
    said = ["--duration", str(SECONDS), "--rate", str(RATE), "--format", "raw", "--function"]
    argv = [str(spy), "record", "--pid", str(pid), *said, "--nonblocking", "--output", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if not file.exists():
        raise DidNotRun(f"py-spy: {done.stderr.strip()[-300:]}")


def _busiest(running: Running) -> int:
    """Return the worker that has used most CPU time; workers are what has no children."""
    below = psutil.Process(running.root_pid).children(recursive=True)
    workers = [process for process in below if not process.children()]
    return max(workers, key=lambda process: sum(process.cpu_times()[:2])).pid
