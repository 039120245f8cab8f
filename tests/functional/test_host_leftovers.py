"""Ten ends of a host, good and bad: none leaves a process, a port or a mount behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision.launcher import Launcher
from sagelet.supervision.process import started_at
from sagelet.worker.spec import HostOrder, Mounts, Overlay
from tests.host_orders import DEADLINE_S, HostFolder, a_launcher, eventually, listened_to, ranks

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Each process listens at a port, and has a child that ignores SIGTERM in a session of its own.
BUSY = """
    import os, signal, socket, subprocess, sys, time
    server = socket.create_server(("127.0.0.1", 0))
    code = ("import signal, socket, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "server = socket.create_server(('127.0.0.1', 0)); "
            "print(server.getsockname()[1], flush=True); time.sleep(600)")
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )
    ports = server.getsockname()[1], int(child.stdout.readline())
    open("/opt/ml/input/data/train/written", "w").close()
    ending = os.environ["ENDING"]
    if ending == "ignores":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if ending == "tidies":
        signal.signal(signal.SIGTERM, lambda *_: (child.kill(), sys.exit(0)))
    print("busy", os.getpid(), child.pid, *ports)
    while ending not in ("ends", "fails") or not os.path.exists("/opt/ml/go"):
        time.sleep(0.01)
    if ending == "fails" and os.environ["RANK"] == "1":
        raise ValueError
    """

ENDINGS = ["stops"] * 3 + ["tidies", "ignores", "ignores", "ends", "fails", "killed", "killed"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def launcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(folder, preload=("socket", "subprocess")) as launcher:
        yield launcher


def _order(host: HostFolder, ending: str) -> HostOrder:
    for name in ("ml/input", "lower", "upper", "work"):
        (host.root / name).mkdir(parents=True)
    (host.root / "hosts").write_text("127.0.0.1 localhost\n")
    overlay = Overlay(
        str(host.root / "lower"),
        "input/data/train",
        str(host.root / "upper"),
        str(host.root / "work"),
    )
    mounts = Mounts(str(host.root / "ml"), str(host.root / "hosts"), "algo-1", (overlay,))
    environment = {"ENDING": ending}
    grace_s = 0.1 if ending == "ignores" else 20.0
    return host.order(BUSY, ranks=ranks(2), mounts=mounts, environment=environment, grace_s=grace_s)


def _busy(host: HostFolder) -> list[list[int]]:
    """Return what each process has said: its pid, its child's, and their ports."""
    lines = [line.removeprefix("[rank 1] ") for line in host.lines()]
    return [[int(word) for word in line.split()[1:]] for line in lines if "busy" in line]


async def _end(launcher: Launcher, host: HostFolder, ending: str) -> None:
    child = await launcher.launch(_order(host, ending))
    await eventually(lambda: len(_busy(host)) == 2)
    assert all(set(ports) <= listened_to() for _, _, *ports in _busy(host))
    if ending in ("stops", "tidies", "ignores"):
        child.signal(signal.SIGTERM)
    elif ending == "killed":
        os.kill(_busy(host)[0][0], signal.SIGKILL)
    else:
        (host.root / "ml" / "go").touch()
    await asyncio.wait_for(child.wait(), DEADLINE_S)


@pytest.mark.skipif(sys.platform != "linux", reason="it is told by /proc")
async def test_ten_ends_leave_no_process_port_or_mount(launcher: Launcher, tmp_path: Path) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    hosts = [HostFolder(tmp_path / str(number)) for number in range(len(ENDINGS))]
    ends = (_end(launcher, host, ending) for host, ending in zip(hosts, ENDINGS, strict=True))
    await asyncio.gather(*ends)

    said = [busy for host in hosts for busy in _busy(host)]
    assert len(said) == 2 * len(ENDINGS)
    assert not any(started_at(pid) for *pids, _, _ in said for pid in pids)
    assert not {port for _, _, *ports in said for port in ports} & listened_to()
    assert Path("/proc/self/mountinfo").read_text() == mounts
    codes = [host.exit().exit_code for host in hosts]
    assert codes == [-15, -15, -15, 0, -9, -9, 0, 1, -9, -9]
    for host in hosts:
        assert (host.root / "upper" / "written").exists()
        shutil.rmtree(host.root)
