"""The processes that see jobs through: new ones, and the spare that is up already."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sagelet.supervision import package_path
from sagelet.training.order import JobPaths
from sagelet.training.spawning import RunnerProcess, Runners
from tests.training_machine import PATIENCE_S


@pytest.fixture
def runners(tmp_path: Path) -> Iterator[Runners]:
    runners = Runners(package_path.ensure(tmp_path / "pythonpath"), {"PATH": os.environ["PATH"]})
    yield runners
    runners.close()


@pytest.fixture
def paths(tmp_path: Path) -> JobPaths:
    """A job whose order makes its runner fail at once, with a word in its log."""
    paths = JobPaths(tmp_path / "job")
    paths.root.mkdir()
    paths.order.write_text("{}")
    return paths


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def assert_failed(started: RunnerProcess, paths: JobPaths) -> None:
    assert started.child.wait(PATIENCE_S) == 1
    started.let_go()
    assert "KeyError: 'program'" in paths.runner_log.read_text()


def test_a_new_runner_takes_a_job(runners: Runners, paths: JobPaths) -> None:
    assert_failed(runners.start(paths), paths)


def test_the_spare_runner_takes_the_next_job(runners: Runners, paths: JobPaths) -> None:
    before = children()
    runners.keep_spare()
    (spare,) = children() - before
    started = runners.start(paths)
    assert started.process.pid == spare
    assert_failed(started, paths)


def test_there_is_one_spare_at_most(runners: Runners) -> None:
    before = children()
    runners.keep_spare()
    runners.keep_spare()
    assert len(children() - before) == 1


def test_a_spare_that_was_killed_is_passed_over(runners: Runners, paths: JobPaths) -> None:
    before = children()
    runners.keep_spare()
    (spare,) = children() - before
    os.kill(spare, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(spare)], timeout=PATIENCE_S)
    started = runners.start(paths)
    assert started.process.pid != spare
    assert_failed(started, paths)


def test_a_spare_that_nobody_needed_is_let_go(runners: Runners) -> None:
    before = children()
    runners.keep_spare()
    runners.dismiss_spare(unused_for_s=1000)
    assert len(children() - before) == 1
    runners.dismiss_spare(unused_for_s=0)
    assert children() == before


def test_a_closed_house_keeps_no_spare(runners: Runners) -> None:
    before = children()
    runners.keep_spare()
    runners.close()
    assert children() == before
    runners.keep_spare()
    assert children() == before


def test_a_spare_ends_with_its_daemon(tmp_path: Path) -> None:
    ours = package_path.ensure(tmp_path / "pythonpath")
    program = f"""
import os, sys
from pathlib import Path
from sagelet.training.spawning import Runners
import psutil
runners = Runners(Path({str(ours)!r}), {{}})
runners.keep_spare()
print(psutil.Process().children()[0].pid, flush=True)
os._exit(0)
"""
    with psutil.Popen([sys.executable, "-c", program], stdout=-1, text=True) as daemon:
        spare = int(daemon.stdout.readline())
        try:
            gone, _ = psutil.wait_procs([psutil.Process(spare)], timeout=PATIENCE_S)
        except psutil.NoSuchProcess:
            return
        assert gone
