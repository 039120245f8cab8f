"""Jobs of several hosts, through the real runner and real forks: they start, meet, and end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.domain.training import (
    Cluster,
    LiteralProgram,
    SecondaryStatus,
    ToolkitProgram,
    TrainingJob,
    TrainingJobStatus,
)
from sagelet.journal.events import EventLog
from sagelet.supervision import package_path
from sagelet.supervision.process import is_same_process
from sagelet.training.launching import DaemonLink, Launched, start
from sagelet.training.order import Places
from sagelet.training.ports import DRIVERS_PORT, PortLock
from sagelet.training.records import History, read_history
from sagelet.training.waiting import ProcessWatch
from sagelet.worker import processes
from tests.host_orders import HostFolder, eventually
from tests.training_machine import PATIENCE_S, TrainingMachine

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO = Cluster.of(2, "local")
TORCHRUN = {"sagemaker_torch_distributed_enabled": "true"}
TWO_EACH = {**TORCHRUN, "sagemaker_mpi_num_of_processes_per_host": "2"}

# A step over gloo; each rank adds its number plus one, so that all know that all were there.
STEP = """
import json, os
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP

def main():
    hosts = json.loads(os.environ["SM_HOSTS"])
    rank = int(os.environ.get("RANK", hosts.index(os.environ["SM_CURRENT_HOST"])))
    world = int(os.environ.get("WORLD_SIZE", len(hosts)))
    dist.init_process_group("gloo", rank=rank, world_size=world)
    torch.manual_seed(0)
    model = DDP(torch.nn.Linear(2, 1, bias=False))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = model.module.weight.detach().clone()
    model(torch.full((1, 2), float(rank + 1))).sum().backward()
    optimizer.step()
    moved = (before - model.module.weight.detach())[0, 0].item()
    print(f"rank {rank} of {world} moved {moved:g}", flush=True)
    # In this order: where a model goes after its group, torch 2.13 now and then waits for itself.
    del model
    dist.destroy_process_group()

main()
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TrainingMachine]:
    """One machine for all, warm with nothing imported: what a script needs of torch, torch has."""
    home = tmp_path_factory.mktemp("hosts") / "home"
    async with TrainingMachine(home, warm=True) as machine:
        yield machine


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def torch_machine(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[TrainingMachine]:
    """A machine whose zygote has torch."""
    home = tmp_path_factory.mktemp("torch") / "home"
    preload = ("torch", "torch._dynamo", "torch.distributed")
    async with TrainingMachine(home, warm=True, preload=preload) as machine:
        yield machine


def history_of(machine: TrainingMachine, job: TrainingJob) -> History:
    return read_history(EventLog(machine.paths(job).events))


def left_of(machine: TrainingMachine, job: TrainingJob) -> list[str]:
    """Which of a job's supervisors still run."""
    hosts = history_of(machine, job).hosts.values()
    return [host.host for host in hosts if is_same_process(host.pid, host.started_at)]


async def said_everywhere(machine: TrainingMachine, job: TrainingJob, line: str) -> None:
    """Wait until every host has logged a line."""
    deadline = time.monotonic() + PATIENCE_S
    hosts = range(job.cluster.host_count)
    while not all(line in machine.lines(job, host) for host in hosts):
        assert time.monotonic() < deadline, [machine.lines(job, host) for host in hosts]
        await asyncio.sleep(0.01)


def moved(machine: TrainingMachine, job: TrainingJob) -> list[str]:
    hosts = range(job.cluster.host_count)
    lines = [line for host in hosts for line in machine.lines(job, host)]
    return sorted(line.partition("] ")[2] or line for line in lines if " moved " in line)


@pytest.mark.parametrize("environment", [{}, {"SAGELET_NAMESPACE": "off"}], ids=["own", "folder"])
async def test_two_hosts_take_a_step_together(
    torch_machine: TrainingMachine, environment: dict[str, str]
) -> None:
    name = f"step-{len(environment)}"
    job = await torch_machine.run(STEP, name=name, cluster=TWO, environment=environment)

    assert (job.status, job.failure_reason) == (TrainingJobStatus.COMPLETED, None)
    assert moved(torch_machine, job) == ["rank 0 of 2 moved 1.5", "rank 1 of 2 moved 1.5"]
    assert torch_machine.lines(job, 1)[-1].endswith("from a warm start")
    assert left_of(torch_machine, job) == []


async def test_four_ranks_on_two_hosts_take_a_step_together(
    torch_machine: TrainingMachine,
) -> None:
    job = await torch_machine.run(STEP, name="four", cluster=TWO, hyperparameters=TWO_EACH)

    assert (job.status, job.failure_reason) == (TrainingJobStatus.COMPLETED, None)
    assert moved(torch_machine, job) == [f"rank {rank} of 4 moved 2.5" for rank in range(4)]
    assert "torchrun --nnodes 2 --nproc_per_node 2 --master_addr algo-1" in "\n".join(
        torch_machine.lines(job)
    )


async def test_two_jobs_of_two_hosts_at_once_do_not_meet(torch_machine: TrainingMachine) -> None:
    first = await torch_machine.begin(STEP, name="one-of-two", cluster=TWO)
    second = await torch_machine.begin(
        STEP, name="two-of-two", cluster=TWO, hyperparameters=TWO_EACH
    )
    ended = [await torch_machine.ended(job.name) for job in (first, second)]

    assert [job.failure_reason for job in ended] == [None, None]
    assert moved(torch_machine, first) == ["rank 0 of 2 moved 1.5", "rank 1 of 2 moved 1.5"]
    assert len(moved(torch_machine, second)) == 4


async def test_a_killed_rank_of_four_ends_the_others_and_is_named(
    torch_machine: TrainingMachine,
) -> None:
    script = STEP.replace(
        "    del model\n",
        "    import signal\n"
        "    if rank == 3:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    dist.barrier()\n",
    )
    began = time.monotonic()
    job = await torch_machine.run(script, name="killed", cluster=TWO, hyperparameters=TWO_EACH)

    assert job.status is TrainingJobStatus.FAILED
    assert job.exit_code == -9
    assert job.failure_reason is not None
    assert "rank 3 on algo-2; Process killed by SIGKILL (signal 9)" in job.failure_reason
    assert time.monotonic() - began < 10
    assert left_of(torch_machine, job) == []


WAITING = """
import os, signal, sys, time
print("here", flush=True)
time.sleep(60)
"""

STUBBORN = """
import os, signal, subprocess, sys, time
host = os.environ["SM_CURRENT_HOST"]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if host == "algo-1":
    child = subprocess.Popen(["sleep", "600.5"], start_new_session=True)
print("here", flush=True)
while host == "algo-2" and not os.path.exists(os.environ["TOLD"]):
    time.sleep(0.02)
if host == "algo-2":
    sys.exit(3)
time.sleep(60)
"""


async def test_an_exit_code_on_the_second_host_ends_a_stubborn_first_one(
    machine: TrainingMachine, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    job = await machine.begin(
        STUBBORN,
        name="exit-3",
        cluster=TWO,
        environment={"TOLD": str(told), "SAGELET_STOP_GRACE_S": "120"},
    )
    await said_everywhere(machine, job, "here")
    supervisor = history_of(machine, job).hosts["algo-1"].pid
    below = processes.descendants(supervisor)
    assert len(below) == 2
    told.touch()
    began = time.monotonic()
    ended = await machine.ended(job.name)

    assert time.monotonic() - began < 10
    assert (ended.status, ended.exit_code) == (TrainingJobStatus.FAILED, 3)
    assert ended.failure_reason is not None
    assert "ExitCode 3" in ended.failure_reason
    assert 'ExtraInfo "algo-2; raised at train.py:' in ended.failure_reason
    assert "algo-2 has failed; algo-1 is ended, too" in machine.lines(job)
    assert [pid for pid in below if processes.read_stat(pid) is not None] == []
    assert machine.paths(job).host("algo-1").joinpath("exit.json").exists()


async def test_a_stop_reaches_every_host(machine: TrainingMachine) -> None:
    script = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: (print("saving", flush=True), sys.exit(0)))
    print("here", flush=True)
    time.sleep(60)
    """
    job = await machine.begin(script, name="stopped", cluster=TWO)
    await said_everywhere(machine, job, "here")
    machine.stop(job.name)
    ended = await machine.ended(job.name)

    assert (ended.status, ended.failure_reason) == (TrainingJobStatus.STOPPED, None)
    assert ["saving" in machine.lines(job, host) for host in (0, 1)] == [True, True]


async def test_hosts_that_ignore_a_stop_are_killed_when_their_grace_is_over(
    machine: TrainingMachine,
) -> None:
    script = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("here", flush=True)
    time.sleep(60)
    """
    job = await machine.begin(script, name="deaf", cluster=TWO)
    await said_everywhere(machine, job, "here")
    machine.stop(job.name)
    began = time.monotonic()
    ended = await machine.ended(job.name)

    assert (ended.status, ended.exit_code) == (TrainingJobStatus.STOPPED, -9)
    assert time.monotonic() - began < 10
    assert left_of(machine, job) == []


async def test_when_time_is_up_each_process_tells_where_it_waited(machine: TrainingMachine) -> None:
    script = """
    import time
    def join_the_others():
        print("here", flush=True)
        time.sleep(60)
    join_the_others()
    """
    job = await machine.run(script, name="late", cluster=TWO, max_runtime_s=1)

    assert job.secondary_status is SecondaryStatus.MAX_RUNTIME_EXCEEDED
    for host in (0, 1):
        assert any("in join_the_others" in line for line in machine.lines(job, host))


async def test_the_first_host_that_is_done_waits_for_the_others(machine: TrainingMachine) -> None:
    script = """
    import os, pathlib, time
    host = os.environ["SM_CURRENT_HOST"]
    model = pathlib.Path(os.environ["SM_MODEL_DIR"])
    if host == "algo-2":
        time.sleep(0.5)
    model.joinpath(f"{host}.txt").write_text(host)
    """
    job = await machine.run(script, name="early", cluster=TWO)

    assert (job.status, job.failure_reason) == (TrainingJobStatus.COMPLETED, None)
    assert machine.member(job, "model.tar.gz", "algo-1.txt") == "algo-1"
    assert machine.member(job, "model.tar.gz", "algo-2.txt") == "algo-2"


async def test_another_runner_goes_on_with_all_hosts(
    machine: TrainingMachine, tmp_path: Path
) -> None:
    script = """
    import os, sys, time
    print("here", flush=True)
    while not os.path.exists(os.environ["TOLD"]):
        time.sleep(0.02)
    sys.exit(7 if os.environ["SM_CURRENT_HOST"] == "algo-2" else 0)
    """
    told = tmp_path / "told"
    job = await machine.begin(script, name="orphaned", cluster=TWO, environment={"TOLD": str(told)})
    await said_everywhere(machine, job, "here")
    first = history_of(machine, job).runner
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    while history_of(machine, job).runners < 2:
        await asyncio.sleep(0.01)
    told.touch()
    ended = await machine.ended(job.name)

    assert (ended.status, ended.exit_code) == (TrainingJobStatus.FAILED, 7)
    assert ended.failure_reason is not None
    assert 'ExtraInfo "algo-2; raised at train.py:6"' in ended.failure_reason
    assert left_of(machine, job) == []


async def test_hosts_of_groups_see_their_own_place(machine: TrainingMachine) -> None:
    script = """
    import json, os, socket
    config = json.load(open(os.path.join(os.environ["SM_INPUT_CONFIG_DIR"], "resourceconfig.json")))
    print(json.dumps({"config": config, "host": socket.gethostname(),
                      "address": socket.gethostbyname("algo-2")}), flush=True)
    """
    cluster = Cluster.of_groups([("data", "ml.c5.xlarge", 1), ("train", "ml.m5.xlarge", 1)])
    job = await machine.run(script, name="groups", cluster=cluster)

    assert job.failure_reason is None
    told = next(json.loads(line) for line in machine.lines(job, 1) if line.startswith("{"))
    assert told["config"] == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "train",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "data",
                "instance_type": "ml.c5.xlarge",
                "hosts": ["algo-1"],
            },
            {
                "instance_group_name": "train",
                "instance_type": "ml.m5.xlarge",
                "hosts": ["algo-2"],
            },
        ],
        "network_interface_name": "lo",
    }
    assert (told["host"], told["address"]) == ("algo-2", "127.0.0.2")


async def test_torchrun_and_a_shell_script_fail_before_anything_is_run(
    machine: TrainingMachine,
) -> None:
    job = await machine.run(
        "true\n", name="shell", entry_point="train.sh", cluster=TWO, hyperparameters=TORCHRUN
    )
    assert job.failure_reason is not None
    assert "Unsupported entry point type for torch_distributed" in job.failure_reason
    assert "train.sh" in job.failure_reason


async def test_drivers_that_know_one_port_queue_and_can_be_stopped(
    machine: TrainingMachine,
) -> None:
    ahead = PortLock(machine.home.ports, DRIVERS_PORT)
    assert ahead.try_take("the-other")
    program = LiteralProgram(("/bin/sh", "-c", "echo ran"))
    jobs = [machine.job(name, program=program, cluster=TWO) for name in ("second", "third")]
    for job in jobs:
        machine.record(job)
        machine.runner.start(job)
        await is_pending(machine, job.name)
    machine.stop("third")
    stopped = await machine.ended("third")
    ahead.close()
    ended = await machine.ended("second")

    assert stopped.status is TrainingJobStatus.STOPPED
    assert "ran" not in machine.lines(stopped)
    assert (ended.status, ended.failure_reason) == (TrainingJobStatus.COMPLETED, None)
    statuses = [transition.status for transition in ended.transitions]
    assert statuses[:3] == [
        SecondaryStatus.STARTING,
        SecondaryStatus.PENDING,
        SecondaryStatus.DOWNLOADING,
    ]
    assert ended.transitions[1].message.startswith("Waiting for training job the-other to end")
    assert ["ran" in machine.lines(ended, host) for host in (0, 1)] == [True, True]


async def is_pending(machine: TrainingMachine, name: str) -> None:
    """Wait until a job is Pending."""
    deadline = time.monotonic() + PATIENCE_S
    while machine.find(name).secondary_status is not SecondaryStatus.PENDING:
        assert time.monotonic() < deadline, machine.find(name).secondary_status
        await asyncio.sleep(0.01)


async def test_the_port_is_another_where_one_is_taken(machine: TrainingMachine) -> None:
    script = """
    import os, socket
    server = socket.create_server(("", int(os.environ["MASTER_PORT"])))
    print("port", os.environ["MASTER_PORT"], flush=True)
    """
    job = await machine.run(script, name="port")
    first = next(line for line in machine.lines(job) if line.startswith("port "))
    assert job.failure_reason is None
    with socket.create_server(("", int(first.split()[1]))):
        others = [await machine.run(script, name=f"port-{number}") for number in range(2)]
    ports = [line for job in others for line in machine.lines(job) if line.startswith("port ")]
    assert len(ports) == 2
    assert first not in ports


async def test_hosts_start_without_a_daemon_too(tmp_path: Path) -> None:
    folders = [HostFolder(tmp_path / name) for name in ("algo-1", "algo-2")]
    orders = [folder.order("print('cold')") for folder in folders]
    places = Places(
        buckets="",
        logs="",
        python=sys.executable,
        package_path=str(package_path.ensure(tmp_path / "package")),
    )
    started = start(orders, DaemonLink(None), places)

    assert [isinstance(each, Launched) and each.warm for each in started] == [False, False]
    await eventually(lambda: all(folder.exit_file.exists() for folder in folders))
    assert [folder.lines() for folder in folders] == [["cold"], ["cold"]]
    watches = [ProcessWatch(each.process) for each in started if isinstance(each, Launched)]
    await eventually(lambda: all(watch.has_ended for watch in watches))
    for watch in watches:
        watch.close()


@pytest.mark.full
async def test_the_installed_torchrun_tells_what_ours_tells(
    machine: TrainingMachine, tmp_path: Path
) -> None:
    script = """
    import json, os, pathlib, sys
    pathlib.Path(sys.argv[-1], os.environ["RANK"]).write_text(json.dumps(dict(os.environ)))
    """
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    source = machine.folder("torchrun", {"told.py": textwrap.dedent(script)})
    for folder in (theirs, ours):
        folder.mkdir()
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "torch.distributed.run", "--nnodes", "1", "--nproc_per_node", "2",
         str(source / "told.py"), str(theirs)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        check=True,
        timeout=120,
    )  # fmt: skip
    program = ToolkitProgram("told.py", source.as_uri())
    parameters = {**TWO_EACH, "into": json.dumps(str(ours))}
    job = machine.job("told", program=program, hyperparameters=parameters)
    assert (await machine.finish(job)).failure_reason is None

    for rank in ("0", "1"):
        their, our = (json.loads((folder / rank).read_text()) for folder in (theirs, ours))
        names = {name for name in their if name not in ("PATH", "HOME", "LC_CTYPE")}
        assert names <= set(our)
        own = {"MASTER_PORT", "TORCHELASTIC_ERROR_FILE", "TORCHELASTIC_RUN_ID"}
        differ = {name for name in names - own if their[name] != our[name]}
        assert differ == {"TORCHELASTIC_USE_AGENT_STORE"}
