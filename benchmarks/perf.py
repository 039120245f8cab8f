"""perf, where it is installed: which C functions and system calls a process spends its CPU on."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.servers import DidNotRun

RATE = 499
LEAST_PERCENT = 1.0
TOP = 14
_NAME = 60
_SYMBOL = re.compile(r"^ +([\d.]+)%  (\S+) +\[[.k]\] (.+?)(?: +- +-)? *$", re.MULTILINE)


@dataclass(frozen=True)
class Symbol:
    """A function of a library or the kernel, and its share of the process's CPU time."""

    percent: float
    binary: str
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
        before_s = _cpu_s(pid)
        _perf("record", "-q", *what, "--", "sleep", str(seconds))
        cores = (_cpu_s(pid) - before_s) / seconds
        how = ["--stdio", "--no-children", "--sort", "dso,symbol"]
        return Busy(cores, parse(_perf("report", "-i", str(file), *how)))


def parse(report: str) -> list[Symbol]:
    """Read the functions with the most samples from perf's report."""
    symbols = [Symbol(float(found[1]), found[2], found[3]) for found in _SYMBOL.finditer(report)]
    return [symbol for symbol in symbols if symbol.percent >= LEAST_PERCENT][:TOP]


def markdown(busy: Busy) -> str:
    """Return it as a table."""
    rows = [f"| {it.percent:.1f} | `{it.name[:_NAME]}` | {it.binary} |" for it in busy.symbols]
    heads = ["| % of its CPU | function | in |", "|---|---|---|"]
    return "\n".join([f"On the CPU for {busy.cores:.2f} of a core:", "", *heads, *rows])


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _perf(*arguments: str) -> str:
    done = subprocess.run(["perf", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DidNotRun(f"perf {arguments[0]} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout
