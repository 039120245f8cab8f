"""Jobs outlive what follows them: the daemon, the runner, and the supervisor of their host."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from sagelet.domain.clock import SystemClock
from sagelet.domain.training import SecondaryStatus, TrainingJob, TrainingJobStatus
from sagelet.errors import DiskFull
from sagelet.journal.events import EventLog
from sagelet.supervision.process import ProcessId, started_at
from sagelet.training.following import Follower
from sagelet.training.ledger import Ledger
from sagelet.training.order import JobPaths, write_order
from sagelet.training.records import (
    History,
    HostStarted,
    RunnerStarted,
    StatusReached,
    read_history,
    to_document,
)
from sagelet.training.spawning import RunnerProcess
from tests.host_orders import HostFolder
from tests.training_builders import an_order
from tests.training_machine import PATIENCE_S, TrainingMachine

LINES = 30
COUNTING = f"""
import os, pathlib, time
for number in range({LINES}):
    print("line", number, flush=True)
    time.sleep(0.05)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("trained")
"""
SLEEPING = "print('ready', flush=True)\nimport time\ntime.sleep(60)\n"


@pytest.fixture
async def machine(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


@contextmanager
def a_daemon(
    home: Path, script: str, warm: str, namespace: str = "", *, hosts: int = 1
) -> Iterator[subprocess.Popen[bytes]]:
    file = home.parent / "script.py"
    file.write_text(script)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, root / "tests" / "training_daemon.py", home, file, warm, str(hosts)],
        env={**os.environ, "PYTHONPATH": str(root), "SAGELET_NAMESPACE": namespace},
    ) as daemon:
        try:
            yield daemon
        finally:
            daemon.kill()


def wait_for(what: str, condition: object, deadline_s: float = PATIENCE_S) -> None:
    """Wait until a callable says so."""
    assert callable(condition)
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def the_job(home: Path) -> JobPaths:
    """The only job of a home."""
    return JobPaths(next((home / "jobs").iterdir()))


def history_of(paths: JobPaths) -> History:
    return read_history(EventLog(paths.events))


def runner_of(paths: JobPaths) -> ProcessId:
    runner = history_of(paths).runner
    assert runner is not None
    return ProcessId(runner.pid, runner.started_at)


def host_of(paths: JobPaths, name: str = "algo-1") -> ProcessId:
    host = history_of(paths).hosts[name]
    return ProcessId(host.pid, host.started_at)


def has_said(home: Path, text: str) -> bool:
    return any(text in file.read_text() for file in (home / "logs").rglob("*") if file.is_file())


def assert_whole(machine: TrainingMachine, job: TrainingJob) -> None:
    """The job is complete, with every line of each host once and in order, and its artifact."""
    assert job.failure_reason is None
    assert job.status is TrainingJobStatus.COMPLETED
    for host in range(job.cluster.host_count):
        counted = [line for line in machine.lines(job, host) if line.startswith("line ")]
        assert counted == [f"line {number}" for number in range(LINES)]
    assert machine.member(job, "model.tar.gz", "model") == "trained"


@pytest.mark.parametrize("namespace", ["", "off"])
@pytest.mark.parametrize("warm", ["warm", "cold"])
async def test_a_job_outlives_a_killed_daemon_and_is_found_again(
    home_path: Path, warm: str, namespace: str
) -> None:
    with a_daemon(home_path, COUNTING, warm, namespace) as daemon:
        wait_for("the job began", lambda: has_said(home_path, "line 3"))
        daemon.kill()
        daemon.wait()
    paths = the_job(home_path)
    assert history_of(paths).hosts["algo-1"].warm is (warm == "warm")
    assert runner_of(paths).is_running
    async with TrainingMachine(home_path) as machine:
        job = await machine.ended("digits")
        assert_whole(machine, job)
        assert [value for _, value, _ in job.final_metrics] == [LINES - 1]
        assert [transition.status for transition in job.transitions] == [
            SecondaryStatus.STARTING,
            SecondaryStatus.DOWNLOADING,
            SecondaryStatus.TRAINING,
            SecondaryStatus.UPLOADING,
            SecondaryStatus.COMPLETED,
        ]


async def test_a_job_that_ended_meanwhile_is_told_by_its_journal(home_path: Path) -> None:
    with a_daemon(home_path, COUNTING, "cold") as daemon:
        wait_for("the job began", lambda: has_said(home_path, "line 3"))
        daemon.kill()
        daemon.wait()
    paths = the_job(home_path)
    wait_for("the job ended", lambda: history_of(paths).end is not None)
    async with TrainingMachine(home_path) as machine:
        assert_whole(machine, await machine.ended("digits"))


async def test_a_job_that_was_found_again_can_be_stopped(home_path: Path) -> None:
    with a_daemon(home_path, SLEEPING, "cold") as daemon:
        wait_for("the job began", lambda: has_said(home_path, "ready"))
        daemon.kill()
        daemon.wait()
    async with TrainingMachine(home_path) as machine:
        machine.stop("digits")
        job = await machine.ended("digits")
        assert job.status is TrainingJobStatus.STOPPED
        assert job.exit_code == -signal.SIGTERM


@pytest.mark.parametrize("hosts", [1, 2])
async def test_when_all_is_killed_but_the_scripts_a_new_runner_finishes(
    home_path: Path, hosts: int
) -> None:
    with a_daemon(home_path, COUNTING, "cold", hosts=hosts) as daemon:
        wait_for("the job began", lambda: has_said(home_path, "line 3"))
        daemon.kill()
        os.kill(runner_of(the_job(home_path)).pid, signal.SIGKILL)
        daemon.wait()
    paths = the_job(home_path)
    for name in [f"algo-{number}" for number in range(1, hosts + 1)]:
        wait_for(f"{name} ended", lambda name=name: not host_of(paths, name).is_running)
    assert history_of(paths).end is None
    async with TrainingMachine(home_path) as machine:
        assert_whole(machine, await machine.ended("digits"))
    assert history_of(paths).runners == 2


async def test_a_killed_runner_is_replaced_while_the_script_runs_on(
    machine: TrainingMachine,
) -> None:
    job = await machine.begin(COUNTING)
    await machine.said(job, "line 3")
    os.kill(runner_of(machine.paths(job)).pid, signal.SIGKILL)
    assert_whole(machine, await machine.ended(job.name))


async def test_a_stop_reaches_the_runner_that_replaced_another(machine: TrainingMachine) -> None:
    job = await machine.begin(SLEEPING)
    await machine.said(job, "ready")
    first = runner_of(machine.paths(job))
    os.kill(first.pid, signal.SIGKILL)
    wait_for("it died", lambda: not first.is_running)
    machine.stop(job.name)
    assert (await machine.ended(job.name)).status is TrainingJobStatus.STOPPED


async def test_a_job_whose_supervisor_was_killed_fails(machine: TrainingMachine) -> None:
    job = await machine.begin("import os\nprint('script', os.getpid(), flush=True)\n" + SLEEPING)
    await machine.said(job, "ready")
    os.kill(host_of(machine.paths(job)).pid, signal.SIGKILL)
    job = await machine.ended(job.name)
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("InternalServerError: the supervisor of algo-1")
    (script,) = [line for line in machine.lines(job) if line.startswith("script ")]
    wait_for("the script ended", lambda: started_at(int(script.split()[1])) is None)


def left_behind(home: Path, events: list[RunnerStarted | StatusReached | HostStarted]) -> None:
    """Lay a job down as a machine that lost its power leaves it."""
    machine = TrainingMachine(home)
    job = machine.job(name="lost")
    machine.record(job)
    paths = machine.paths(job)
    write_order(an_order(home, name="lost"), paths)
    for event in events:
        EventLog(paths.events).append(to_document(event))
    machine.store.close()


async def test_a_job_that_ended_with_the_machine_fails(home_path: Path) -> None:
    left_behind(
        home_path,
        [
            RunnerStarted(1.0, os.getpid(), 1.0),
            StatusReached(2.0, SecondaryStatus.TRAINING),
            HostStarted(3.0, "algo-1", os.getpid(), 1.0, warm=False, log_offset=0),
        ],
    )
    async with TrainingMachine(home_path) as machine:
        job = await machine.ended("lost")
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("InternalServerError: ")
    assert [transition.status for transition in job.transitions][1] is SecondaryStatus.TRAINING


async def test_a_job_whose_download_was_cut_off_fails(home_path: Path) -> None:
    left_behind(home_path, [RunnerStarted(1.0, os.getpid(), 1.0)])
    async with TrainingMachine(home_path) as machine:
        assert (await machine.ended("lost")).status is TrainingJobStatus.FAILED


async def test_a_job_that_was_recorded_and_never_begun_is_begun(home_path: Path) -> None:
    first = TrainingMachine(home_path)
    job = await first.begin(COUNTING)
    first.store.close()
    async with TrainingMachine(home_path) as machine:
        assert_whole(machine, await machine.ended(job.name))


async def test_a_runner_that_cannot_run_is_not_tried_for_ever(home_path: Path) -> None:
    machine = TrainingMachine(home_path)
    job = machine.job(name="broken")
    machine.record(job)
    paths = machine.paths(job)
    paths.events.parent.mkdir(parents=True)
    paths.order.write_text("{}")
    async with machine:
        job = await machine.ended("broken")
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert "KeyError: 'program'" in job.failure_reason


async def test_two_runners_never_work_on_one_job(machine: TrainingMachine) -> None:
    job = await machine.begin(SLEEPING)
    await machine.said(job, "ready")
    second = subprocess.run(
        [sys.executable, "-m", "sagelet.training.runner", machine.paths(job).root],
        check=False,
        timeout=PATIENCE_S,
    )
    assert second.returncode == 1
    assert history_of(machine.paths(job)).runners == 1
    machine.stop(job.name)
    await machine.ended(job.name)


# Has a host started, and dies before it can write so.
DIES_TOO_SOON = """
import json, os, socket, sys, time
from sagelet.worker.frames import encode_frame, read_frame
daemon = socket.socket(fileno=int(sys.argv[1]))
daemon.sendall(encode_frame({"op": "launch", "order": json.loads(sys.argv[2])}))
read_frame(daemon)
while not os.path.lexists(sys.argv[3]):
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""


async def test_a_host_that_nobody_recorded_is_ended_with_its_runner(
    machine: TrainingMachine, tmp_path: Path
) -> None:
    host = HostFolder(tmp_path / "host")
    pid = tmp_path / "pid"
    script = f"import os\nos.symlink(str(os.getpid()), {str(pid)!r})\n"
    order = json.dumps(asdict(host.order(script + SLEEPING)))
    tries = 0

    async def spawn() -> RunnerProcess:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise OSError("no more processes")
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        argv = [sys.executable, "-c", DIES_TOO_SOON, str(theirs.fileno()), order, str(pid)]
        child = subprocess.Popen(argv, pass_fds=(theirs.fileno(),))
        theirs.close()
        return RunnerProcess(child, ProcessId(child.pid, started_at(child.pid) or 0.0), ours)

    job = machine.job()
    machine.record(job)
    machine.paths(job).root.mkdir(parents=True)
    follower = Follower(
        job,
        machine.paths(job),
        ledger=Ledger(machine.store, SystemClock()),
        launcher=machine.launchers.for_python(None),
        spawn=spawn,
    )
    await follower.follow()
    assert machine.find(job.name).failure_reason == "InternalServerError: no more processes"
    wait_for("the script ended", lambda: started_at(int(pid.readlink().name)) is None)


class FullForAWhile(Ledger):
    """The store's disk is full at the first try."""

    tries = 0

    def fail(self, name: str, reason: str) -> None:
        self.tries += 1
        if self.tries == 1:
            raise DiskFull("/state/state.db", 0)
        super().fail(name, reason)


async def test_an_end_is_told_again_once_the_disk_has_space(machine: TrainingMachine) -> None:
    async def spawn() -> RunnerProcess:
        raise OSError("no more processes")

    job = machine.job()
    machine.record(job)
    follower = Follower(
        job,
        machine.paths(job),
        ledger=FullForAWhile(machine.store, SystemClock()),
        launcher=machine.launchers.for_python(None),
        spawn=spawn,
    )
    await follower.follow()
    assert machine.find(job.name).failure_reason == "InternalServerError: no more processes"
