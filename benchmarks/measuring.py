"""A daemon to measure, times, and things in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import Material
from sagelet.domain.home import Home
from sagelet.environments import daemon

COMMAND_S = 60


@dataclass(frozen=True)
class Bench:
    """A fresh home with a daemon on it, and a copy of the project."""

    home: Home
    project: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables for programs that are to find this home."""
        return os.environ | {"SAGELET_HOME": str(self.home.root)}

    def sagelet(self, *arguments: str) -> str:
        """Run our program and return what it printed."""
        argv = [sys.executable, "-m", "sagelet", *arguments]
        done = subprocess.run(
            argv,
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=COMMAND_S,
        )
        return done.stdout

    @property
    def info(self) -> daemon.DaemonInfo:
        """The daemon."""
        info = daemon.read(self.home)
        assert info is not None
        return info


@contextmanager
def bench(material: Material) -> Iterator[Bench]:
    """Start a daemon with a warm zygote on a home of its own, beside a copy of the material."""
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
        project = material.copy(Path(folder, "project")).folder
        made = Bench(Home(Path(folder, "home")), project)
        made.home.root.mkdir()
        made.sagelet("up", "--port", "0")
        try:
            wait_until(lambda: "the zygote is ready" in made.home.daemon_log.read_text())
            yield made
        finally:
            made.sagelet("down")


def wait_until(condition: Callable[[], bool], within_s: float = 60) -> None:
    """Return when a condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true in time")
        time.sleep(0.005)


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def paired(
    first: Callable[[], float], second: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    """Measure two things in turn; return both medians and the median of their ratios."""
    pairs = [(first(), second()) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio
