"""Several processes on a host: their variables, their lines, and how one's failure ends all."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision.launcher import Launcher
from sagelet.supervision.process import started_at
from sagelet.worker.spec import Rank
from tests.host_orders import DEADLINE_S, HostFolder, a_launcher, eventually, ranks, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["warm", "cold"])
async def launcher(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(
        folder, preload=("multiprocessing",), warm=request.param == "warm"
    ) as launcher:
        yield launcher


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


async def test_each_process_has_its_variables_over_the_hosts(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os
        print(os.environ["RANK"], os.environ["SHARED"], os.environ["CUDA_VISIBLE_DEVICES"])
        """
    two = [
        Rank(2, {"RANK": "2", "CUDA_VISIBLE_DEVICES": "0"}),
        Rank(3, {"RANK": "3", "CUDA_VISIBLE_DEVICES": "1", "SHARED": "own"}),
    ]
    variables = {"SHARED": "theirs", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert await run(launcher, host.order(script, ranks=two, environment=variables)) == 0

    assert sorted(host.lines()) == ["2 theirs 0", "[rank 3] 3 own 1"]
    assert (host.exit().rank, host.exit().failed_at) == (None, 0.0)


async def test_the_lines_of_all_but_the_first_begin_with_their_number(
    launcher: Launcher, host: HostFolder
) -> None:
    script = r"""
        import os, sys
        sys.stdout.write("  indented\n\nlast")
        print("oops", file=sys.stderr)
        """
    await run(launcher, host.order(script, ranks=ranks(3)))

    own = ["", "  indented", "last", "oops"]
    theirs = [f"[rank {number}] {line}" for number in (1, 2) for line in own]
    assert sorted(host.lines()) == sorted([*own, *theirs])


async def test_the_one_process_of_a_host_has_its_lines_as_they_are(
    launcher: Launcher, host: HostFolder
) -> None:
    await run(launcher, host.order("raise SystemExit(print('loss=1'))", ranks=[Rank(7, {})]))

    assert host.lines() == ["loss=1"]


async def test_a_process_may_end_well_before_the_others(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, time
        while os.environ["RANK"] == "0" and not os.path.exists("over"):
            time.sleep(0.01)
        if os.environ["RANK"] == "1":
            open("over", "w").close()
        print("done")
        """
    assert await run(launcher, host.order(script, ranks=ranks(2))) == 0
    assert sorted(host.lines()) == ["[rank 1] done", "done"]


async def test_a_killed_process_ends_the_others_and_is_named(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, time
        print(os.getpid())
        if os.environ["RANK"] == "2":
            while not os.path.exists("go"):
                time.sleep(0.01)
            os.kill(os.getpid(), 9)
        time.sleep(600)
        """
    child = await launcher.launch(host.order(script, ranks=ranks(4)))
    await eventually(lambda: len(host.lines()) == 4)
    pids = [int(line.split()[-1]) for line in host.lines()]
    began = time.monotonic()
    (host.code / "go").touch()

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 137
    assert time.monotonic() - began < 5
    ended = host.exit()
    assert (ended.rank, ended.exit_code) == (2, -9)
    assert ended.error == "killed by SIGKILL (signal 9)"
    assert not ended.stopped
    assert host.lines()[-1] == (
        "rank 2 was killed by SIGKILL (signal 9); ending what still runs: rank 0, 1, 3"
    )
    assert not any(started_at(pid) for pid in pids)


async def test_the_error_of_the_first_that_fails_is_recorded(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("was asked to end"))
        if os.environ["RANK"] == "1":
            raise ValueError("no such column")
        time.sleep(600)
        """
    assert await run(launcher, host.order(script, ranks=ranks(2))) == 1

    ended = host.exit()
    assert (ended.rank, ended.exit_code, ended.error) == (1, 1, "ValueError: no such column")
    assert ended.where == f"{host.code}/train.py:5"
    assert "raise ValueError" in ended.traceback
    assert 0 < ended.failed_at <= ended.ended_at


async def test_who_lost_a_connection_is_not_blamed_for_it(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, sys, time
        if os.environ["RANK"] == "0":
            sys.excepthook = lambda *_: open("lost", "w").close()
            raise RuntimeError("[pair.cc:553] Connection closed by peer [127.0.0.1]:7777")
        while not os.path.exists("lost"):
            time.sleep(0.01)
        raise KeyError("x")
        """
    assert await run(launcher, host.order(script, ranks=ranks(2))) == 1

    assert (host.exit().rank, host.exit().error) == (1, "KeyError: 'x'")


async def test_who_told_of_its_error_first_is_blamed_though_it_ends_later(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import atexit, os, sys, time
        if os.environ["RANK"] == "0":
            atexit.register(time.sleep, 600)
            sys.excepthook = lambda *_: open("told", "w").close()
            raise ValueError("first")
        while not os.path.exists("told"):
            time.sleep(0.01)
        raise ValueError("second")
        """
    assert await run(launcher, host.order(script, ranks=ranks(2))) == 1

    ended = host.exit()
    assert (ended.rank, ended.exit_code, ended.error) == (0, 1, "ValueError: first")


async def test_others_that_hang_tell_where_and_are_killed(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, signal, time
        def wait_for_the_others():
            time.sleep(600)
        if os.environ["RANK"] == "0":
            while not os.path.exists("ready"):
                time.sleep(0.01)
            raise SystemExit(3)
        signal.signal(signal.SIGTERM, lambda *_: wait_for_the_others())
        open("ready", "w").close()
        wait_for_the_others()
        """
    began = time.monotonic()
    assert await run(launcher, host.order(script, ranks=ranks(2))) == 3

    assert time.monotonic() - began < 8
    ended = host.exit()
    assert (ended.rank, ended.exit_code) == (0, 3)
    assert ended.notes == ("SIGKILL was sent 3 s after SIGTERM",)
    frame = f'[rank 1]   File "{host.code}/train.py", line 4 in wait_for_the_others'
    assert frame in host.lines()


async def test_a_stop_reaches_every_process_and_is_no_failure_of_the_first(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, signal, sys, time
        def save(*_):
            time.sleep(0.3)
            os.write(1, b"saved " + os.environ["RANK"].encode())
            sys.exit(0)
        if os.environ["RANK"] == "0":
            signal.signal(signal.SIGTERM, save)
        print("ready")
        time.sleep(600)
        """
    child = await launcher.launch(host.order(script, ranks=ranks(2)))
    await eventually(lambda: len(host.lines()) == 2)
    await child.stop(DEADLINE_S)

    ended = host.exit()
    assert "saved 0" in host.lines()
    assert (ended.stopped, ended.exit_code, ended.rank) == (True, -signal.SIGTERM, 1)


async def test_stacks_are_told_on_request_and_nothing_ends(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, threading, time
        def join_the_group():
            print("ready")
            while not os.path.exists("go"):
                time.sleep(0.01)
        join_the_group()
        """
    child = await launcher.launch(host.order(script, ranks=ranks(2)))
    await eventually(lambda: len(host.lines()) == 2)
    os.kill(child.process.pid, signal.SIGUSR1)
    await eventually(lambda: sum("in <module>" in line for line in host.lines()) == 2)
    (host.code / "go").touch()

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 0
    frames = [line for line in host.lines() if "join_the_group" in line]
    assert {line.partition("File")[0] for line in frames} == {"  ", "[rank 1]   "}
    assert not any("sagelet/worker" in line for line in host.lines())


async def test_what_torchs_record_wrote_is_the_error(launcher: Launcher, host: HostFolder) -> None:
    script = """
        import json, os
        text = 'Traceback\\n  File "/a/train.py", line 7, in main\\n    f()\\nValueError: deep'
        with open(os.environ["TORCHELASTIC_ERROR_FILE"], "w") as file:
            more = {"py_callstack": text, "timestamp": "1"}
            json.dump({"message": {"message": "ValueError: deep", "extraInfo": more}}, file)
        os._exit(1)
        """
    assert await run(launcher, host.order(script, ranks=ranks(1))) == 1

    ended = host.exit()
    assert (ended.error, ended.where, ended.rank) == ("ValueError: deep", "/a/train.py:7", 0)
    assert "Traceback" in ended.traceback
    assert sorted(path.name for path in host.exit_file.parent.iterdir()) == ["algo-1", "exit.json"]


async def test_a_shell_script_runs_once_for_each_process(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        echo $RANK
        while [ $RANK = 1 ] && [ ! -e begun ]; do sleep 0.02; done
        [ $RANK = 1 ] && exit 5
        touch begun
        exec sleep 600
        """
    assert await run(launcher, host.order(script, entry="train.sh", ranks=ranks(2))) == 5

    assert sorted(host.lines()[:2]) == ["0", "[rank 1] 1"]
    assert (host.exit().rank, host.exit().error) == (1, "")
