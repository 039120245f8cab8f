"""A zygote that dies, grows stale or is let go, and what becomes of its children."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from textwrap import dedent

import pytest
import uvloop

from sagelet.errors import ChildFailed
from sagelet.supervision import package_path
from sagelet.supervision.backoff import Backoff
from sagelet.supervision.exits import ended
from sagelet.supervision.launcher import Launcher, Launchers
from sagelet.supervision.process import ProcessId, started_at
from sagelet.worker.frames import FrameDecoder, encode_frame
from sagelet.worker.processes import descendants, read_stat
from sagelet.worker.spec import ServeOrder, to_json
from tests.host_orders import DEADLINE_S, HostFolder, eventually, run

Make = Callable[..., Launcher]


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
async def make(tmp_path: Path, notes: list[str]) -> AsyncIterator[Make]:
    packages = package_path.ensure(tmp_path / "package")
    made: list[Launcher] = []

    def make(
        python: str = sys.executable,
        *,
        preload: tuple[str, ...] = ("queue",),
        warm: bool = True,
        backoff: Backoff | None = None,
    ) -> Launcher:
        launcher = Launcher(
            Path(python),
            package_path=packages,
            preload=preload,
            warm=warm,
            on_note=notes.append,
            backoff=backoff,
        )
        made.append(launcher)
        return launcher

    yield make
    for launcher in made:
        await launcher.close()


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path / "host")


async def _warmed(notes: list[str], times: int = 1) -> None:
    """Wait until so many zygotes have imported all that they were to."""
    await eventually(lambda: sum(n.startswith("the zygote is ready") for n in notes) == times)


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _runs(pid: int, log: Path) -> bool:
    """Whether a process has a file open: a host's supervisor has its journal."""
    with contextlib.suppress(OSError):
        return any(fd.readlink() == log for fd in Path(f"/proc/{pid}/fd").iterdir())
    return False


def _parent(pid: int) -> int:
    stat = read_stat(pid)
    assert stat is not None
    return stat.parent


WAITS_FOR_A_FILE = """
    import os, time
    print("begun")
    while not os.path.exists("go"):
        time.sleep(0.01)
    print("ended")
    raise SystemExit(6)
    """


async def test_the_first_launch_waits_for_the_zygote(make: Make, host: HostFolder) -> None:
    child = await make().launch(host.order("print('hello')"))

    assert child.warm
    assert await child.wait() == 0
    assert host.lines() == ["hello"]


async def test_what_cannot_be_imported_is_told_and_keeps_nothing_cold(
    make: Make, host: HostFolder, notes: list[str]
) -> None:
    launcher = make(preload=("no_such_module", "queue"))
    child = await launcher.launch(host.order("pass"))
    await child.wait()
    await _warmed(notes)

    assert child.warm
    assert "not imported: no_such_module (ModuleNotFoundError: No module named" in notes[0]


async def test_a_launch_is_forked_and_its_end_told_while_the_zygote_still_imports(
    host: HostFolder, notes: list[str], tmp_path: Path
) -> None:
    python, site = _environment(tmp_path)
    (site / "slow.py").write_text(
        "import os, subprocess, time\n"
        "while not os.path.exists(os.environ['HOME'] + '/go'):\n"
        "    time.sleep(0.01)\n"
        "    assert subprocess.run(['sh', '-c', 'exit 3']).returncode == 3\n"
    )
    home = tmp_path / "go-home"
    home.mkdir()
    launcher = Launcher(
        Path(python),
        package_path=package_path.ensure(tmp_path / "package"),
        preload=("queue", "slow"),
        on_note=notes.append,
        environment={"HOME": str(home), "PATH": os.environ["PATH"]},
    )

    child = await launcher.launch(host.order("import sys\nprint('slow' in sys.modules)\n"))

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 0
    assert notes == []
    (home / "go").touch()
    await _warmed(notes)
    assert "not imported" not in notes[0]  # it heard of the end of its own child
    assert child.warm
    assert host.lines() == ["False"]
    await launcher.close()


async def test_a_zygote_killed_in_mid_job_loses_nothing(
    make: Make, host: HostFolder, notes: list[str]
) -> None:
    launcher = make()
    child = await launcher.launch(host.order(WAITS_FOR_A_FILE))
    await host.said("begun")
    zygote = _parent(child.process.pid)

    os.kill(zygote, signal.SIGKILL)
    await eventually(lambda: "the zygote died" in notes)
    (host.code / "go").touch()

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 6
    assert host.lines() == ["begun", "ended"]
    assert host.exit().exit_code == 6


async def test_after_a_zygotes_death_launches_are_cold_until_another_is_ready(
    make: Make, tmp_path: Path, notes: list[str]
) -> None:
    launcher = make()
    first = await launcher.launch(HostFolder(tmp_path / "1").order("import time; time.sleep(9)"))
    await _warmed(notes)
    os.kill(_parent(first.process.pid), signal.SIGKILL)
    await eventually(lambda: "the zygote died" in notes)

    meanwhile = HostFolder(tmp_path / "2")
    assert await run(launcher, meanwhile.order("print('cold')")) == 0
    await _warmed(notes, times=2)
    again = await launcher.launch(HostFolder(tmp_path / "3").order("pass"))

    assert await again.wait() == 0
    assert again.warm
    assert "cold start: the zygote is starting again" in notes
    await first.stop(5)


async def test_a_zygote_that_keeps_dying_is_given_up(
    make: Make, host: HostFolder, tmp_path: Path, notes: list[str]
) -> None:
    python, site = _environment(tmp_path)
    (site / "deadly.py").write_text("import os\nos.write(2, b'boom')\nos._exit(9)\n")
    launcher = make(python, preload=("deadly",), backoff=Backoff((0,)))
    await launcher.start()
    await eventually(lambda: notes.count("the zygote died: boom") == 5)

    child = await launcher.launch(host.order("pass"))

    assert await child.wait() == 0
    assert notes[-1] == "cold start: the zygote keeps dying"


async def test_installing_a_package_makes_the_next_launch_cold_and_the_one_after_warm(
    make: Make, tmp_path: Path, notes: list[str]
) -> None:
    python, site = _environment(tmp_path)
    launcher = make(python)
    before = await launcher.launch(HostFolder(tmp_path / "1").order("pass"))
    await before.wait()
    await _warmed(notes)
    (site / "new-1.0.dist-info").mkdir()
    (site / "new.py").write_text("X = 1\n")

    next_one = await launcher.launch(HostFolder(tmp_path / "2").order("import new"))
    assert await next_one.wait() == 0
    await _warmed(notes, times=2)
    after = await launcher.launch(HostFolder(tmp_path / "3").order("import new"))
    assert await after.wait() == 0

    assert [child.warm for child in (before, next_one, after)] == [True, False, True]
    assert any("packages were installed or removed" in note for note in notes)


async def test_a_stale_zygote_tells_of_its_children_to_the_end(make: Make, tmp_path: Path) -> None:
    python, site = _environment(tmp_path)
    launcher = make(python)
    host = HostFolder(tmp_path / "1")
    old = await launcher.launch(host.order(WAITS_FOR_A_FILE))
    (site / "new-1.0.dist-info").mkdir()
    assert await run(launcher, HostFolder(tmp_path / "2").order("pass")) == 0

    (host.code / "go").touch()

    assert await asyncio.wait_for(old.wait(), DEADLINE_S) == 6


@pytest.mark.parametrize("warm", [True, False])
async def test_a_host_outlives_the_launcher(make: Make, host: HostFolder, warm: bool) -> None:
    launcher = make(warm=warm)
    child = await launcher.launch(host.order(WAITS_FOR_A_FILE))
    await host.said("begun")
    await launcher.close()
    assert child.process.is_running

    (host.code / "go").touch()
    await eventually(host.exit_file.exists)

    assert host.exit().exit_code == 6
    assert host.lines() == ["begun", "ended"]


async def test_a_launch_that_is_cancelled_leaves_no_child_and_a_good_zygote(
    make: Make, tmp_path: Path, notes: list[str]
) -> None:
    launcher = make()
    await launcher.start()
    await _warmed(notes)
    host = HostFolder(tmp_path / "1")
    order = host.order("import time\ntime.sleep(600)\n")
    for turns in range(12):
        launch = asyncio.create_task(launcher.launch(order))
        for _ in range(turns):
            await asyncio.sleep(0)
        launch.cancel()
        await asyncio.gather(launch, return_exceptions=True)
        if not launch.cancelled():
            await launch.result().stop(0)

    again = await launcher.launch(HostFolder(tmp_path / "2").order("pass"))
    assert await again.wait() == 0
    assert again.warm
    supervisors = [pid for pid in descendants(os.getpid()) if _runs(pid, host.log)]
    await eventually(lambda: not any(started_at(pid) for pid in supervisors))


async def test_launches_leave_no_descriptors_and_no_processes_behind(
    make: Make, tmp_path: Path
) -> None:
    launcher = make()
    host = HostFolder(tmp_path / "1")
    first = await launcher.launch(host.order(WAITS_FOR_A_FILE))
    zygote = _parent(first.process.pid)

    async def rounds() -> tuple[int, int]:
        for seed in ("random", "1"):
            for _ in range(5):
                folder = HostFolder(tmp_path / os.urandom(8).hex())
                await run(launcher, folder.order("pass", environment={"PYTHONHASHSEED": seed}))
        return _descriptors(os.getpid()), _descriptors(zygote)

    before = await rounds()
    assert await rounds() == before
    assert len(descendants(zygote)) == 2  # the first host's supervisor and its script
    await first.stop(5)


async def test_another_interpreter_runs_the_script_with_its_own_packages(
    make: Make, host: HostFolder, tmp_path: Path
) -> None:
    python, site = _environment(tmp_path)
    (site / "theirs.py").write_text("X = 'theirs'\n")
    script = """
        import sys, theirs
        print(sys.executable, theirs.X)
        try:
            import starlette
        except ImportError:
            print("nothing of ours")
        """
    child = await make(python).launch(host.order(script))
    await child.wait()

    assert child.warm
    assert host.lines() == [f"{python} theirs", "nothing of ours"]


async def test_an_interpreter_that_is_not_there_is_named(make: Make, host: HostFolder) -> None:
    with pytest.raises(ChildFailed, match="/no/such/python"):
        await make("/no/such/python").launch(host.order("pass"))


async def test_launchers_have_one_launcher_an_interpreter(tmp_path: Path) -> None:
    launchers = Launchers(package_path=tmp_path, on_note=lambda _: None)

    assert launchers.for_python(None) is launchers.for_python(Path(sys.executable))
    assert launchers.for_python(None) is not launchers.for_python(Path("/other/python"))
    await launchers.close()


def test_it_works_on_uvloop_too(tmp_path: Path) -> None:
    host = HostFolder(tmp_path / "host")

    async def story() -> tuple[int, int]:
        launcher = Launcher(
            Path(sys.executable),
            package_path=package_path.ensure(tmp_path / "package"),
            preload=("queue",),
            on_note=lambda _: None,
        )
        warm = await run(launcher, host.order("print('warm')\nraise SystemExit(4)\n"))
        hashed = host.order("print('cold')", environment={"PYTHONHASHSEED": "1"})
        cold = await run(launcher, hashed)
        await launcher.close()
        return warm, cold

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(story()) == (4, 0)
    assert host.lines() == ["warm", "cold"]


async def test_a_zombie_does_not_run_and_its_end_is_noticed() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    process = ProcessId(child.pid, started_at(child.pid) or 0.0)
    assert child.stdin is not None
    child.stdin.close()

    await asyncio.wait_for(ended(process), DEADLINE_S)

    assert not process.is_running
    assert child.wait() == 1


class Worker:
    """A serving worker's order, and our ends of its descriptors."""

    def __init__(self, folder: Path, program: str, environment: dict[str, str]) -> None:
        folder.mkdir()
        (folder / "inference.py").write_text(dedent(program))
        self.order = ServeOrder(
            model_dir=str(folder),
            code_dir=str(folder),
            program="inference.py",
            cwd=str(folder),
            environment={"PATH": os.environ["PATH"], **environment},
        )
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(0)
        self._out, out = os.pipe()
        self._err, err = os.pipe()
        self.theirs = (theirs.detach(), out, err)

    def close_theirs(self) -> None:
        for descriptor in self.theirs:
            os.close(descriptor)

    async def hear(self) -> dict[str, object]:
        decoder = FrameDecoder()
        async with asyncio.timeout(DEADLINE_S):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self.sock, 2**16)
                assert data, self.said()
                for frame in decoder.feed(data):
                    return frame.header

    def said(self) -> tuple[bytes, bytes]:
        return os.read(self._out, 2**16), os.read(self._err, 2**16)

    def close(self) -> None:
        self.sock.close()
        os.close(self._out)
        os.close(self._err)


HANDLERS = """
    import os, sys
    def model_fn(model_dir):
        print("loading", os.getcwd() == model_dir)
        print("to stderr", file=sys.stderr)
        return 1
    def predict_fn(data, model):
        return data
    """

HANGS = """
    import os, signal, time
    def model_fn(model_dir):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("hanging", "w").close()
        while True:
            time.sleep(600)
    """


@pytest.mark.parametrize("hash_seed", ["", "1"], ids=["warm", "cold"])
async def test_a_serving_worker_has_its_socket_and_its_streams(
    make: Make, tmp_path: Path, hash_seed: str
) -> None:
    environment = {"PYTHONHASHSEED": hash_seed} if hash_seed else {}
    worker = Worker(tmp_path / "model", HANDLERS, environment)
    child = await make().launch(worker.order, worker.theirs)
    worker.close_theirs()

    assert (await worker.hear())["op"] == "loaded"
    assert child.warm is not bool(hash_seed)
    worker.sock.send(encode_frame({"op": "stop"}))
    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 0
    out, err = worker.said()
    assert out == b"loading True\n"
    assert err == b"to stderr\n"
    worker.close()


@pytest.mark.parametrize("hash_seed", ["", "1"], ids=["warm", "cold"])
async def test_stopping_a_worker_that_hangs_ends_in_sigkill(
    make: Make, tmp_path: Path, hash_seed: str
) -> None:
    environment = {"PYTHONHASHSEED": hash_seed} if hash_seed else {}
    worker = Worker(tmp_path / "model", HANGS, environment)
    child = await make().launch(worker.order, worker.theirs)
    worker.close_theirs()
    await eventually((tmp_path / "model" / "hanging").exists)

    assert await child.stop(0.1) == -signal.SIGKILL
    assert child.has_ended
    child.signal(signal.SIGTERM)  # of no effect, and no error
    worker.close()


async def test_what_a_worker_leaves_in_its_group_is_killed(make: Make, tmp_path: Path) -> None:
    program = """
        import os, subprocess
        def model_fn(model_dir):
            child = subprocess.Popen(["sleep", "600"])
            print(child.pid, flush=True)
            os._exit(3)
        """
    for name, environment in (("warm", {}), ("cold", {"PYTHONHASHSEED": "1"})):
        worker = Worker(tmp_path / name, program, environment)
        child = await make().launch(worker.order, worker.theirs)
        worker.close_theirs()

        assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 3
        sleeper = int(worker.said()[0])
        await eventually(lambda pid=sleeper: started_at(pid) is None)  # type: ignore[misc]  # a default binds the loop's value
        worker.close()


async def test_a_hanging_worker_does_not_outlive_the_launcher(make: Make, tmp_path: Path) -> None:
    worker = Worker(tmp_path / "model", HANGS, {})
    launcher = make()
    child = await launcher.launch(worker.order, worker.theirs)
    worker.close_theirs()
    await eventually((tmp_path / "model" / "hanging").exists)

    await launcher.close()
    worker.close()

    await eventually(lambda: not child.process.is_running)


DAEMON = """
import asyncio, json, os, socket, sys
from pathlib import Path
from sagelet.supervision.launcher import Launcher
from sagelet.worker.spec import order_from_json

async def main():
    launcher = Launcher(Path(sys.executable), package_path=Path(sys.argv[1]), preload=("queue",),
                        warm=sys.argv[2] == "warm", on_note=lambda note: None)
    ours, theirs = socket.socketpair()
    null = os.open(os.devnull, os.O_WRONLY)
    children = [
        await launcher.launch(order_from_json(sys.argv[3]), (theirs.fileno(), null, null)),
        await launcher.launch(order_from_json(sys.argv[4])),
    ]
    print(json.dumps([child.process.pid for child in children]), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["warm", "cold"])
async def test_when_the_daemon_is_killed_workers_go_and_hosts_stay(
    tmp_path: Path, host: HostFolder, how: str
) -> None:
    worker = Worker(tmp_path / "model", HANGS, {})
    packages = package_path.ensure(tmp_path / "package")
    orders = (to_json(worker.order), to_json(host.order(WAITS_FOR_A_FILE)))
    daemon = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DAEMON, packages, how, *orders), stdout=asyncio.subprocess.PIPE
    )
    assert daemon.stdout is not None
    serving, training = json.loads(await daemon.stdout.readline())
    await host.said("begun")
    await eventually((tmp_path / "model" / "hanging").exists)

    daemon.kill()
    await daemon.wait()

    await eventually(lambda: started_at(serving) is None)
    assert started_at(training) is not None
    (host.code / "go").touch()
    await eventually(host.exit_file.exists)
    assert host.exit().exit_code == 6
    worker.close_theirs()
    worker.close()


def _environment(tmp_path: Path) -> tuple[str, Path]:
    """Make a virtual environment with nothing in it; return its python and its site-packages."""
    folder = tmp_path / "environment"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    [site] = folder.glob("lib/python*/site-packages")
    return str(folder / "bin" / "python"), site
