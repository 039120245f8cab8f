"""perf, where it is installed: which C functions and system calls a process spends its CPU on."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import DidNotRun

RATE = 499
LEAST_PERCENT = 2.0
_EVENTS = re.compile(r"^# Event count \(approx\.\): (\d+)$", re.MULTILINE)
_SYMBOL = re.compile(r"^ +([\d.]+)%  (\S+) +\[[.k]\] (.+?)(?: +- +-)? *$", re.MULTILINE)


@dataclass(frozen=True)
class Symbol:
    """A function of a library or the kernel, and its share of the process's CPU time."""

    percent: float
    library: str
    name: str


@dataclass(frozen=True)
class Busy:
    """How much of a core a process kept busy, and with what."""

    cores: float
    symbols: Sequence[Symbol]


def is_there() -> bool:
    """Say whether perf is installed."""
    return shutil.which("perf") is not None


def record(pid: int, seconds: int) -> Busy:
    """Watch a process for a while.

    Raises:
        DidNotRun: perf may not look.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "perf.data")
        what = ["-e", "cpu-clock", "-F", str(RATE), "-o", str(file), "-p", str(pid)]
        _perf("record", "-q", *what, "--", "sleep", str(seconds))
        how = ["--stdio", "--no-children", "--sort", "dso,symbol"]
        return parse(_perf("report", "-i", str(file), *how), seconds)


def parse(report: str, seconds: float) -> Busy:
    """Read perf's report; its events are nanoseconds on the CPU.

    Raises:
        DidNotRun: it counted none.
    """
    counted = _EVENTS.search(report)
    if counted is None:
        raise DidNotRun("perf counted nothing")
    symbols = [Symbol(float(found[1]), found[2], found[3]) for found in _SYMBOL.finditer(report)]
    most = [symbol for symbol in symbols if symbol.percent >= LEAST_PERCENT]
    return Busy(int(counted[1]) / 1e9 / seconds, most)


def markdown(busy: Busy) -> str:
    """Return it as a table."""
    rows = [f"| {it.percent:.1f} | `{it.name}` | {it.library} |" for it in busy.symbols]
    heads = ["| % of its CPU | function | in |", "|---|---|---|"]
    return "\n".join([f"On the CPU for {busy.cores:.2f} of a core:", "", *heads, *rows])


def _perf(*arguments: str) -> str:
    done = subprocess.run(["perf", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DidNotRun(f"perf {arguments[0]} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout
