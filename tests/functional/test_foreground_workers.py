"""Workers that run on a terminal: launched through a socket, and ended with it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sagelet.cli.dev.terminal import TerminalWorkers
from sagelet.errors import ChildFailed
from sagelet.supervision import package_path
from sagelet.supervision.child import Child
from sagelet.supervision.foreground import ForegroundLauncher
from sagelet.worker.frames import Frame, encode_frame, read_frame
from tests.serving_projects import ECHO, an_order, write


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
def terminal(tmp_path: Path, problems: list[str]) -> Iterator[TerminalWorkers]:
    workers = TerminalWorkers(
        Path(sys.executable),
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        on_problem=problems.append,
    )
    yield workers
    workers.close()


class Started:
    """A worker that was launched, and the daemon's end of its socket."""

    def __init__(self, child: Child, sock: socket.socket) -> None:
        self.child = child
        self.sock = sock

    async def says(self) -> Frame:
        frame = await asyncio.to_thread(read_frame, self.sock)
        assert frame is not None
        return frame


@pytest.fixture
async def started(terminal: TerminalWorkers, tmp_path: Path) -> AsyncIterator[Started]:
    order = an_order(write(tmp_path / "model", {"inference.py": ECHO}))
    ours, theirs = socket.socketpair()
    null = os.open(os.devnull, os.O_RDWR)
    ours.settimeout(30)
    child = await ForegroundLauncher(terminal.path).launch(order, (theirs.fileno(), null, null))
    theirs.close()
    os.close(null)
    started = Started(child, ours)
    assert (await started.says()).header["op"] == "loaded"
    yield started
    ours.close()


async def test_a_worker_on_the_terminal_answers_and_ends_with_its_socket(started: Started) -> None:
    header = {"op": "invoke", "id": 0, "content_type": "text/plain", "accept": None, "headers": {}}
    started.sock.sendall(encode_frame(header, b"hello"))
    answer = await started.says()
    assert answer.header["status"] == 200
    assert b"hello" in answer.body
    assert os.getpgid(started.child.process.pid) == os.getpgid(0)
    assert os.getsid(started.child.process.pid) == os.getsid(0)
    started.sock.close()
    async with asyncio.timeout(30):
        assert await started.child.wait() == 0
    assert started.child.has_ended


async def test_a_worker_that_is_killed_is_told_of(started: Started) -> None:
    started.child.signal(signal.SIGKILL)
    async with asyncio.timeout(30):
        assert await started.child.wait() == -signal.SIGKILL


async def test_closing_the_terminal_ends_its_workers(
    started: Started, terminal: TerminalWorkers
) -> None:
    await asyncio.to_thread(terminal.close)
    async with asyncio.timeout(30):
        assert await started.child.wait() == -signal.SIGTERM
    assert not terminal.path.parent.exists()


async def test_nobody_at_the_socket_is_told_with_what_to_do(tmp_path: Path) -> None:
    order = an_order(write(tmp_path / "model", {"inference.py": ECHO}))
    with pytest.raises(ChildFailed, match="`sagelet dev --debug` does"):
        await ForegroundLauncher(tmp_path / "nobody").launch(order, ())


async def test_what_is_no_order_is_a_problem_and_the_next_one_is_taken(
    terminal: TerminalWorkers, problems: list[str], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(10)
        stranger.connect(str(terminal.path))
        stranger.sendall(b"\0\0\0\2{}")
        assert stranger.recv(1) == b""
    assert len(problems) == 1
    assert "no worker was started" in problems[0]
