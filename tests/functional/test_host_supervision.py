"""What a host's supervisor keeps of a script's output, and how it ends what it started."""

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
from tests.host_orders import DEADLINE_S, HostFolder, a_launcher, eventually, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def launcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(folder, preload=("multiprocessing",)) as launcher:
        yield launcher


def _lives(pid: int) -> bool:
    return started_at(pid) is not None


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


async def test_lines_are_kept_as_they_were_written(launcher: Launcher, host: HostFolder) -> None:
    script = r"""
        import sys
        print("a", "b")
        print()
        print("    indented\t")
        sys.stdout.buffer.write(b"\xff\xfe not text\n")
        sys.stdout.buffer.write("naïve\r\n".encode())
        print("no newline at the end", end="")
        """
    before_ms = int(time.time() * 1000)
    await run(launcher, host.order(script))

    assert host.lines() == [
        "a b",
        "",
        "    indented\t",
        "\ufffd\ufffd not text",
        "naïve",
        "no newline at the end",
    ]
    assert all(before_ms <= ms <= time.time() * 1000 for ms, _ in host.records())


async def test_a_line_is_in_the_journal_as_soon_as_it_is_printed(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import sys
        print("now")
        print("and here", file=sys.stderr)
        import time
        time.sleep(600)
        """
    child = await launcher.launch(host.order(script))
    await host.said("now")
    await host.said("and here")

    assert await child.stop(DEADLINE_S) == 128 + signal.SIGTERM


async def test_a_progress_bar_is_told_briefly(launcher: Launcher, host: HostFolder) -> None:
    script = r"""
        import sys, time
        for n in range(100):
            sys.stderr.write(f"\r{n + 1}%|{'#' * n}|")
            sys.stderr.flush()
            time.sleep(0.011)
        sys.stderr.write("\n")
        print("done")
        """
    await run(launcher, host.order(script))

    bars = [line for line in host.lines() if line.strip("\r").endswith("|")]
    assert bars[-1].startswith("100%|")
    assert 2 <= len(bars) <= 4
    assert host.lines()[-1] == "done"


async def test_a_line_over_a_mebibyte_is_split_and_whole(
    launcher: Launcher, host: HostFolder
) -> None:
    await run(launcher, host.order("print('é' * 1_500_000)\nprint('after')\n"))

    *parts, last = host.lines()
    assert "".join(parts) == "é" * 1_500_000
    assert len(parts) == 3
    assert last == "after"


async def test_a_script_that_prints_a_lot_is_not_held_up(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        line = "x" * 99
        for _ in range(300_000):
            print(line)
        """
    assert await run(launcher, host.order(script)) == 0
    assert len(host.records()) == 300_000


async def test_a_script_may_close_its_standard_output(launcher: Launcher, host: HostFolder) -> None:
    script = """
        import os, sys
        os.close(1)
        os.close(2)
        open("survived", "w").close()
        os._exit(0)
        """
    assert await run(launcher, host.order(script)) == 0
    assert (host.code / "survived").exists()


async def test_a_journal_that_cannot_be_written_does_not_stop_the_script(
    launcher: Launcher, host: HostFolder
) -> None:
    await run(launcher, host.order("print('lost')\nraise SystemExit(3)\n", log="/dev/full"))

    assert host.exit().exit_code == 3
    assert host.exit().notes == ("log lines were lost: No space left on device",)


async def test_sigterm_reaches_the_script_which_may_end_well(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, signal, sys, time
        def stop(number, frame):
            os.write(1, b"saving %d\\n" % number)
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        print("ready")
        time.sleep(600)
        """
    child = await launcher.launch(host.order(script))
    await host.said("ready")

    assert await child.stop(DEADLINE_S) == 0
    assert host.lines() == ["ready", "saving 15"]
    assert (host.exit().stopped, host.exit().exit_code) == (True, 0)


async def test_sigterm_is_passed_on_once_and_sigkill_follows_after_the_grace(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, signal, time
        signal.signal(signal.SIGTERM, lambda n, f: os.write(1, b"not yet\\n"))
        print("ready")
        while True:
            time.sleep(600)
        """
    child = await launcher.launch(host.order(script, grace_s=0.6))
    await host.said("ready")
    began = time.monotonic()
    child.signal(signal.SIGTERM)
    await host.said("not yet")
    child.signal(signal.SIGTERM)

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == 137
    assert 0.6 <= time.monotonic() - began < 5
    ended = host.exit()
    said, stack = host.lines()[:2], host.lines()[2:]
    assert said == ["ready", "not yet"]
    assert stack[0] == "Where this host's processes are, innermost call first:"
    assert stack[-1] == f'  File "{host.code}/train.py", line 6 in <module>'
    assert len(stack) == 3
    assert (ended.exit_code, ended.stopped) == (-9, True)
    assert ended.error == "killed by SIGKILL (signal 9)"
    assert ended.notes == ("SIGKILL was sent 0.6 s after SIGTERM",)


async def test_sigterm_reaches_every_process_of_the_group(
    launcher: Launcher, host: HostFolder
) -> None:
    (host.code / "other.py").write_text(
        "import os, signal, sys, time\n"
        "signal.signal(15, lambda n, f: (os.write(1, b'child stops\\n'), sys.exit(0)))\n"
        "print('child ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    script = """
        import subprocess, sys
        subprocess.run([sys.executable, "other.py"])
        """
    child = await launcher.launch(host.order(script))
    await host.said("child ready")
    await child.stop(DEADLINE_S)

    assert "child stops" in host.lines()


@pytest.mark.parametrize("detached", ["", ", start_new_session=True"])
async def test_what_outlives_the_script_is_killed(
    launcher: Launcher, host: HostFolder, detached: str
) -> None:
    script = f"""
        import subprocess, sys
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
               "print('grandchild', flush=True); time.sleep(600)"
        grandchild = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE{detached}
        )
        grandchild.stdout.readline()
        print(grandchild.pid)
        grandchild.returncode = 0
        """
    assert await run(launcher, host.order(script)) == 0
    assert not _lives(int(host.lines()[0]))


async def test_a_daemon_that_the_script_made_is_killed_with_its_own_children(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                inner = os.fork()
                if inner == 0:
                    time.sleep(600)
                print(os.getpid(), inner)
                time.sleep(600)
            os._exit(0)
        os.wait()
        time.sleep(0.2)
        """
    assert await run(launcher, host.order(script)) == 0
    pids = [int(word) for word in host.lines()[0].split()]
    assert [pid for pid in pids if _lives(pid)] == []


async def test_the_script_does_not_outlive_its_supervisor(
    launcher: Launcher, host: HostFolder
) -> None:
    child = await launcher.launch(
        host.order("import os, time\nprint(os.getpid())\ntime.sleep(600)\n")
    )
    await eventually(lambda: len(host.lines()) == 1)
    script = int(host.lines()[0])
    os.kill(child.process.pid, signal.SIGKILL)

    assert await asyncio.wait_for(child.wait(), DEADLINE_S) == -9
    await eventually(lambda: not _lives(script))


async def test_stopping_without_grace_leaves_nothing_of_a_host(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, subprocess, signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        other = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print(os.getpid(), other.pid)
        other.wait()
        """
    child = await launcher.launch(host.order(script))
    await eventually(lambda: len(host.lines()) == 1)
    await child.stop(0.05)

    pids = [int(word) for word in host.lines()[0].split()]
    await eventually(lambda: not any(_lives(pid) for pid in pids))


async def test_the_exit_file_appears_whole_and_alone(launcher: Launcher, host: HostFolder) -> None:
    await run(launcher, host.order("raise ValueError('x')\n"))

    assert sorted(path.name for path in host.exit_file.parent.iterdir()) == ["algo-1", "exit.json"]
    assert abs(host.exit().ended_at - time.time()) < DEADLINE_S
    assert host.exit_file.stat().st_mode & 0o777 == 0o600


async def test_a_thousand_lines_of_both_streams_are_all_there(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import sys
        for n in range(1000):
            print("out", n)
            print("err", n, file=sys.stderr)
        """
    await run(launcher, host.order(script))

    lines = host.lines()
    assert [line for line in lines if line[:3] == "out"] == [f"out {n}" for n in range(1000)]
    assert [line for line in lines if line[:3] == "err"] == [f"err {n}" for n in range(1000)]
