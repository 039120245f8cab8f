"""Forks of a zygote that has really imported torch, beside cold starts of the same scripts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision import package_path
from sagelet.supervision.launcher import PRELOAD, Launcher
from sagelet.worker.spec import HostOrder, Mounts, Rank
from tests.host_orders import HostFolder, eventually, listened_to, ranks, run

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEP = """
    import time
    print(time.time())
    import torch
    model = torch.nn.Linear(100, 10)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(64, 100)).sum().backward()
    optimizer.step()
    print("stepped")
    """


class Machine:
    """A warm and a cold launcher, and what they said."""

    def __init__(self, packages: Path) -> None:
        self.notes: list[str] = []
        python = Path(sys.executable)
        self.warm = Launcher(python, package_path=packages, on_note=self.notes.append)
        self.cold = Launcher(python, package_path=packages, warm=False, on_note=self.notes.append)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    machine = Machine(package_path.ensure(tmp_path_factory.mktemp("package")))
    await machine.warm.start()
    await eventually(lambda: any(note.startswith("the zygote is ready") for note in machine.notes))
    yield machine
    await machine.warm.close()
    await machine.cold.close()


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


async def test_everything_in_the_preload_is_imported(machine: Machine) -> None:
    [ready] = [note for note in machine.notes if note.startswith("the zygote is ready")]
    assert all(module in ready for module in PRELOAD)
    assert "not imported" not in ready


async def test_a_warm_script_imports_torch_and_takes_a_step_in_half_a_second(
    machine: Machine, tmp_path: Path
) -> None:
    first_lines, wholes = [], []
    for number in range(3):
        host = HostFolder(tmp_path / str(number))
        order = host.order(STEP, threads=1)
        began, began_at = time.monotonic(), time.time()
        assert await run(machine.warm, order) == 0
        wholes.append(time.monotonic() - began)
        first_lines.append(float(host.lines()[0]) - began_at)
        assert host.lines()[1] == "stepped"

    print(f"first line {min(first_lines):.3f} s, whole {statistics.median(wholes):.3f} s")
    assert min(wholes) < 0.5


async def test_children_of_one_zygote_draw_different_numbers(
    machine: Machine, tmp_path: Path
) -> None:
    script = """
        import random, numpy, torch
        print(random.random())
        print(numpy.random.rand())
        print(torch.rand(()).item())
        print(torch.initial_seed())
        """
    hosts = [HostFolder(tmp_path / str(number)) for number in range(4)]
    await asyncio.gather(*(run(machine.warm, host.order(script)) for host in hosts))

    for draws in zip(*(host.lines() for host in hosts), strict=True):
        assert len(set(draws)) == len(hosts)


async def test_a_script_starts_the_same_warm_and_cold(machine: Machine, host: HostFolder) -> None:
    script = """
        import gc, json, os, signal, sys, threading
        import torch, torch._dynamo, numpy, torch.distributed, torch.utils.data
        import multiprocessing.process
        print(json.dumps({
            "argv": sys.argv, "path": sys.path, "cwd": os.getcwd(), "file": __file__,
            "environment": dict(os.environ), "threads": torch.get_num_threads(),
            "python threads": threading.active_count(), "gc": gc.isenabled(),
            "signals": [str(signal.getsignal(n)).partition(" at ")[0] for n in (1, 2, 13, 15, 17)],
            "stdin": os.read(0, 1).decode(), "stdout": str(sys.stdout.encoding),
            "buffering": [sys.stdout.line_buffering, sys.stderr.line_buffering],
            "grad": torch.is_grad_enabled(), "origin": multiprocessing.process.ORIGINAL_DIR,
            "descriptors": len(os.listdir("/proc/self/fd")), "leader": os.getpid() == os.getsid(0),
            "cuda": torch.cuda.is_initialized(), "bytecode": sys.dont_write_bytecode,
            "session": os.getpgid(0) == os.getpid(), "executable": sys.executable,
        }))
        """
    environment = {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    order = host.order(script, "--lr", "1", environment=environment, threads=1)

    await run(machine.warm, order)
    await run(machine.cold, order)

    warm, cold = map(json.loads, host.lines())
    assert warm == cold
    assert warm["cuda"] is False
    assert warm["threads"] == 1


@pytest.mark.parametrize(
    ("threads", "variable", "expected"),
    [(None, None, os.cpu_count()), (1, None, 1), (1, "2", 2), (None, "3", 3)],
)
async def test_torch_computes_with_the_threads_that_were_asked_for(
    machine: Machine, host: HostFolder, threads: int | None, variable: str | None, expected: int
) -> None:
    script = "import torch\nprint(torch.get_num_threads())\n"
    environment = {} if variable is None else {"OMP_NUM_THREADS": variable}
    order = host.order(script, threads=threads, environment=environment)

    child = await machine.warm.launch(order)
    await child.wait()

    assert child.warm
    assert host.lines() == [str(expected)]


async def test_a_parallel_operation_does_not_hang_in_a_fork(
    machine: Machine, host: HostFolder
) -> None:
    script = """
        import numpy, torch
        a = torch.rand(1500, 1500)
        print((a @ a).shape, torch.relu(torch.rand(4_000_000)).numel())
        b = numpy.random.rand(600, 600)
        print((b @ b).shape)
        """
    assert await run(machine.warm, host.order(script)) == 0
    assert host.lines() == ["torch.Size([1500, 1500]) 4000000", "(600, 600)"]


async def test_data_loader_workers_and_pickles_of_the_script_work(
    machine: Machine, host: HostFolder
) -> None:
    script = """
        import io, torch
        from torch.utils.data import DataLoader, Dataset
        class Squares(Dataset):
            def __len__(self):
                return 8
            def __getitem__(self, index):
                return torch.tensor(index * index)
        class Net(torch.nn.Module):
            pass
        if __name__ == "__main__":
            loader = DataLoader(Squares(), 2, num_workers=2)
            print(sorted(int(number) for batch in loader for number in batch))
            file = io.BytesIO()
            torch.save(Net(), file)
            file.seek(0)
            print(type(torch.load(file, weights_only=False)).__name__)
        """
    assert await run(machine.warm, host.order(script)) == 0
    assert host.lines() == ["[0, 1, 4, 9, 16, 25, 36, 49]", "Net"]


TRAIN = """
    import json, os, sys, time
    began_at, before = time.time(), set(sys.modules)
    import torch, torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    from torch.utils.data import DataLoader, TensorDataset
    from torch.utils.data.distributed import DistributedSampler
    hosts = ["algo-1", "algo-2"]
    rank = hosts.index(os.environ["CURRENT_HOST"])
    os.environ["MASTER_ADDR"] = hosts[0]  # as scripts for SageMaker do
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(8, 4), torch.randn(8, 1))
    sampler = DistributedSampler(data, shuffle=False)
    model = DistributedDataParallel(torch.nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters())
    for x, y in DataLoader(data, batch_size=4, sampler=sampler):
        torch.nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    stepped_at = time.time()
    torch.save(model.module.state_dict(), f"{rank}.pth")
    next(iter(DataLoader(data, num_workers=1)))
    gradient = model.module.weight.grad.flatten().tolist()
    dist.destroy_process_group()
    print(json.dumps([began_at, stepped_at, sorted(set(sys.modules) - before), gradient]))
    """


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pair(
    tmp_path: Path, script: str, namespace: str = "on"
) -> tuple[list[HostFolder], list[HostOrder]]:
    """Two hosts of a job, named by /etc/hosts where there can be one, and their orders."""
    hosts = [HostFolder(tmp_path / str(number)) for number in (1, 2)]
    names = {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
    shared = {"MASTER_PORT": str(_free_port()), "GLOO_SOCKET_IFNAME": "lo"}
    orders = []
    for number, host in enumerate(hosts, start=1):
        (host.root / "ml").mkdir()
        (host.root / "hosts").write_text("127.0.0.1 localhost algo-1\n127.0.0.2 algo-2\n")
        mounts = Mounts(str(host.root / "ml"), str(host.root / "hosts"), f"algo-{number}")
        own = {"CURRENT_HOST": f"algo-{number}", "SAGELET_NAMESPACE": namespace}
        order = host.order(script, threads=1, mounts=mounts, names=names, environment=shared | own)
        orders.append(order)
    return hosts, orders


@pytest.mark.parametrize("namespace", ["on", "off"])
async def test_two_hosts_take_a_step_together_with_nothing_left_to_import(
    machine: Machine, tmp_path: Path, namespace: str
) -> None:
    hosts, orders = _pair(tmp_path, TRAIN, namespace)
    asked_at = time.time()
    codes = await asyncio.gather(*(run(machine.warm, order) for order in orders))
    assert list(codes) == [0, 0], hosts[0].lines() + hosts[1].lines()

    said = [json.loads(host.lines()[-1]) for host in hosts]
    print(f"first step {max(stepped_at for _, stepped_at, *_ in said) - asked_at:.3f} s")
    assert said[0][3] == said[1][3]
    for _, _, imported, _ in said:
        assert imported == []


async def test_two_hosts_that_start_cold_meet_by_their_names_too(
    machine: Machine, tmp_path: Path
) -> None:
    script = """
        import os, torch, torch.distributed as dist
        rank = int(os.environ["CURRENT_HOST"][-1]) - 1
        dist.init_process_group("gloo", init_method=f"tcp://algo-1:{os.environ['MASTER_PORT']}",
                                rank=rank, world_size=2)
        total = torch.tensor([rank + 1.0])
        dist.all_reduce(total)
        print(total.item())
        dist.destroy_process_group()
        """
    hosts, orders = _pair(tmp_path, script, namespace="off")
    codes = await asyncio.gather(*(run(machine.cold, order) for order in orders))

    assert list(codes) == [0, 0], hosts[0].lines() + hosts[1].lines()
    assert [host.lines()[-1] for host in hosts] == ["3.0", "3.0"]


JOIN = """
    import os, time, torch.distributed as dist
    print("begins")
    if os.environ["RANK"] == "1" and os.environ["FAULT"] == "never joins":
        time.sleep(600)
    dist.init_process_group("gloo")
    print("joined", os.getpid())
    if os.environ["RANK"] == "1":
        time.sleep(600)
    dist.barrier()
    """


def _gloo(host: HostFolder, fault: str) -> HostOrder:
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": "2"}
    environment = {**shared, "FAULT": fault, "GLOO_SOCKET_IFNAME": "lo"}
    return host.order(JOIN, ranks=ranks(2), environment=environment, threads=1, grace_s=0.3)


async def test_a_process_that_never_joins_is_seen_in_the_stacks(
    machine: Machine, host: HostFolder
) -> None:
    order = _gloo(host, "never joins")
    child = await machine.warm.launch(order)
    await eventually(lambda: len(host.lines()) == 2)
    await eventually(lambda: int(order.environment["MASTER_PORT"]) in listened_to())
    os.kill(child.process.pid, signal.SIGUSR1)
    await eventually(lambda: sum("in <module>" in line for line in host.lines()) == 2)
    await child.stop(20)

    joining = [line for line in host.lines() if " in init_process_group" in line]
    assert joining
    assert not any(line.startswith("[rank 1]") for line in joining)


async def test_a_killed_process_does_not_leave_the_others_in_gloo(
    machine: Machine, host: HostFolder
) -> None:
    child = await machine.warm.launch(_gloo(host, "is killed"))
    await eventually(lambda: sum("joined" in line for line in host.lines()) == 2)
    [joined] = [line for line in host.lines() if line.startswith("[rank 1] joined")]
    began = time.monotonic()
    os.kill(int(joined.split()[-1]), signal.SIGKILL)

    assert await asyncio.wait_for(child.wait(), 30) == 137
    assert time.monotonic() - began < 10
    ended = host.exit()
    assert (ended.rank, ended.exit_code) == (1, -9)
    assert ended.error == "killed by SIGKILL (signal 9)"


async def test_a_processs_own_gpus_are_those_that_torch_sees(
    machine: Machine, host: HostFolder
) -> None:
    script = """
        import torch
        print(torch.cuda._parse_visible_devices(), torch.cuda.is_initialized(),
              torch.cuda._is_in_bad_fork())
        """
    two = [Rank(number, {"CUDA_VISIBLE_DEVICES": str(number)}) for number in range(2)]
    await run(machine.warm, host.order(script, ranks=two))

    assert sorted(host.lines()) == ["[0] False False", "[rank 1] [1] False False"]


COLD = [
    ({"MKL_NUM_THREADS": "1"}, "MKL_NUM_THREADS is read when torch starts"),
    ({"OMP_NUM_THREADS": "2,1"}, "OMP_NUM_THREADS is read when torch starts"),
    ({"PYTHONHASHSEED": "0"}, "PYTHONHASHSEED is read when python starts"),
    ({"PYTHONBREAKPOINT": "pdb.set_trace"}, "a debugger is asked for"),
]


@pytest.mark.parametrize(("environment", "why"), COLD)
async def test_what_is_read_at_an_import_makes_a_start_cold_and_takes_effect(
    machine: Machine, host: HostFolder, environment: dict[str, str], why: str
) -> None:
    script = """
        import os
        print(hash("sagelet") if "PYTHONHASHSEED" in os.environ else "", sorted(os.environ))
        """
    order = host.order(script, environment=environment)

    child = await machine.warm.launch(order)

    assert await child.wait() == 0
    assert not child.warm
    assert machine.notes[-1].startswith(f"cold start: {why}")
    assert next(iter(environment)) in host.lines()[0]


async def test_a_script_beside_a_module_named_torch_gets_that_one(
    machine: Machine, host: HostFolder
) -> None:
    (host.code / "torch.py").write_text("NAME = 'mine'\n")
    child = await machine.warm.launch(host.order("import torch\nprint(torch.NAME)\n"))
    await child.wait()

    assert not child.warm
    assert host.lines() == ["mine"]


async def test_the_zygote_has_one_thread_and_hardly_a_descriptor(
    machine: Machine, host: HostFolder
) -> None:
    script = "import os, time\nprint(os.getppid())\ntime.sleep(600)\n"
    child = await machine.warm.launch(host.order(script))
    await eventually(lambda: bool(host.lines()))
    supervisor = int(host.lines()[0])
    stat = Path(f"/proc/{supervisor}/stat").read_text()
    zygote = int(stat.rpartition(")")[2].split()[1])
    tasks = list(Path(f"/proc/{zygote}/task").iterdir())
    open_files = [str(fd.readlink()) for fd in Path(f"/proc/{zygote}/fd").iterdir()]
    await child.stop(10)

    assert supervisor == child.process.pid
    assert len(tasks) == 1
    assert sum(name.startswith("socket:") for name in open_files) == 1
    assert sum(name.startswith("pipe:") for name in open_files) == 2
    assert len(open_files) == 6


async def test_a_child_does_not_inherit_the_zygotes_socket(
    machine: Machine, host: HostFolder
) -> None:
    script = "import os\nprint([os.readlink(f'/proc/self/fd/{n}') for n in (0, 1, 2)])\n" + (
        "print([n for n in os.listdir('/proc/self/fd')][3:])\n"
    )
    await run(machine.warm, host.order(script))

    first, rest = host.lines()
    assert first.startswith("['/dev/null', 'pipe:[")
    assert len(json.loads(rest.replace("'", '"'))) == 1  # the listing itself
