"""The daemon's side of a zygote: its start, its forks, their ends, and its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sagelet.errors import ChildFailed
from sagelet.supervision import descriptors, exits
from sagelet.supervision.child import Usage
from sagelet.supervision.process import ProcessId, started_at
from sagelet.supervision.warmth import Ready
from sagelet.worker.frames import FrameDecoder, encode_frame
from sagelet.worker.recording import FIRST_SIGNAL_STATUS
from sagelet.worker.spec import HostOrder, Order, exit_from_json, to_json

log = logging.getLogger(__name__)

LOST_EXIT_CODE = 255
"""Stands for the code of a child whose zygote died first and which left no word of its own."""

_OWN_VARIABLES = {
    # No threads before a fork. A child has them again, and they wait 1 ms for work, not 30.
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_THREAD_TIMEOUT": "22",
}
_READ_BYTES = 2**16
_PROCEED_AFTER_S = 0.02
_ANSWERS_WITHIN_S = 30.0
_GOES_WITHIN_S = 5.0
_TAIL_BYTES = 2000
_KEPT_VARIABLES = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TMPDIR", "TZ",
    "USER",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fork:
    """A child of the zygote's, and where its exit code will be."""

    process: ProcessId
    exit_code: asyncio.Future[int]
    usage: Usage


@dataclass(frozen=True, slots=True)
class _Asked:
    """A fork that was asked for."""

    order: Order
    process: asyncio.Future[ProcessId]
    exit_code: asyncio.Future[int]
    usage: Usage


class Zygote:
    """A running zygote, ready or not yet. Made by `Zygote.start`."""

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        sock: socket.socket,
        environment: Mapping[str, str],
        complaints: IO[bytes],
    ) -> None:
        """Take over a process that was started with the other end of the socket."""
        loop = asyncio.get_running_loop()
        self.gone = asyncio.Event()
        self._ready: asyncio.Future[Ready] = loop.create_future()
        self._complete: asyncio.Future[Ready] = loop.create_future()
        self._popen = popen
        self._sock = sock
        self._environment = environment
        self._complaints = complaints
        self._ids = itertools.count(1)
        self._asked: dict[int, _Asked] = {}
        self._children: dict[int, _Asked] = {}
        self._childless = asyncio.Event()
        self._childless.set()
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader = loop.create_task(self._read())

    @classmethod
    def start(
        cls, python: Path, package_path: Path, modules: Sequence[str], base: Mapping[str, str]
    ) -> Zygote:
        """Start one that imports the given modules; of the variables in `base` it gets a few.

        Raises:
            ChildFailed: the interpreter cannot be run.
        """
        environment = {name: base[name] for name in _KEPT_VARIABLES if name in base}
        environment |= _OWN_VARIABLES | {"PYTHONPATH": str(package_path)}
        complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the zygote
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        try:
            popen = subprocess.Popen(
                [python, "-m", "sagelet.worker.zygote", str(theirs.fileno()), *modules],
                cwd=package_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            complaints.close()
            raise ChildFailed(what=f"the interpreter {python}", log_tail=str(error)) from error
        finally:
            theirs.close()
        return cls(popen, ours, environment, complaints)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._popen.pid

    async def ready(self) -> Ready:
        """Wait until it can fork; return what it has imported by now.

        Raises:
            ChildFailed: it ended before.
        """
        first = await asyncio.shield(self._ready)
        return self._complete.result() if self._complete.done() else first

    async def complete(self) -> Ready:
        """Wait until it has imported everything; return what became of it.

        Raises:
            ChildFailed: it ended before.
        """
        return await asyncio.shield(self._complete)

    async def fork(self, order: Order, fds: Sequence[int]) -> Fork:
        """Fork a child for an order; the descriptors remain the caller's.

        Raises:
            ChildFailed: the zygote has ended, or the machine has no room for a process.
        """
        number = next(self._ids)
        header = {"op": "fork", "id": number, "kind": order.kind}
        request = encode_frame(header, to_json(order).encode())
        loop = asyncio.get_running_loop()
        asked = _Asked(order, loop.create_future(), loop.create_future(), Usage())
        self._asked[number] = asked
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                async with self._writing:
                    await descriptors.send(self._sock, request, fds)
                process = await asked.process
        except asyncio.CancelledError:
            _disown(asked)
            raise
        except (OSError, TimeoutError) as error:
            _disown(asked)
            self._popen.kill()  # it must not fork later what is started in another way now
            raise ChildFailed(what="the zygote", log_tail=str(error) or "no answer") from error
        return Fork(process, asked.exit_code, asked.usage)

    async def without_children(self) -> None:
        """Wait until none of its forks runs."""
        await self._childless.wait()

    def last_words(self) -> str:
        """Return the end of what it wrote to stderr."""
        descriptor = self._complaints.fileno()
        start = max(0, os.fstat(descriptor).st_size - _TAIL_BYTES)
        return os.pread(descriptor, _TAIL_BYTES, start).decode("utf-8", "replace").strip()

    async def close(self) -> None:
        """Let it go: its serving workers end, its training hosts stay. Nobody is told of either."""
        self._reader.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._reader, *self._tasks, return_exceptions=True)
        self._sock.close()
        if not any(asked.order.kind == "serve" for asked in self._children.values()):
            self._popen.kill()  # it has nobody to see off, and may be in the middle of an import
        started = started_at(self.pid)
        if started is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(exits.ended(ProcessId(self.pid, started)), _GOES_WITHIN_S)
        self._popen.kill()
        self._popen.wait()
        self._complaints.close()
        self._give_up(ChildFailed(what="the zygote"))

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        decoder = FrameDecoder()
        try:
            while data := await loop.sock_recv(self._sock, _READ_BYTES):
                for frame in decoder.feed(data):
                    self._hear(frame.header)
        except OSError:
            pass  # reset: as gone as at the end of the stream
        except (ValueError, KeyError) as error:
            log.error("the zygote %d does not speak our language: %s", self.pid, error)
            self._popen.kill()
        self._mourn()

    def _hear(self, told: Mapping[str, Any]) -> None:
        match told["op"]:
            case "ready":
                self._be_ready(told)
            case "forked":
                self._adopt(ProcessId(told["pid"], told["started_at"]), self._asked.pop(told["id"]))
            case "refused":
                failed = ChildFailed(what="a fork of the zygote", log_tail=told["error"])
                _fail(self._asked.pop(told["id"]).process, failed)
            case "exited":
                self._settle(told["pid"], told["code"], told["peak_kib"] * 1024)
            case other:
                raise ValueError(f"it said {other!r}")

    def _adopt(self, process: ProcessId, asked: _Asked) -> None:
        self._children[process.pid] = asked
        self._childless.clear()
        if asked.process.cancelled():  # who asked has given up meanwhile
            _kill(process)
        elif not asked.process.done():
            asked.process.set_result(process)

    def _be_ready(self, told: Mapping[str, Any]) -> None:
        ready = Ready.told(told, self._environment)
        for future in (self._ready, self._complete) if ready.complete else (self._ready,):
            if not future.done():
                future.set_result(ready)
        if not ready.complete:
            # Who waits for a fork asks for it in the loop's next turns; the imports go on after.
            self._do(self._proceed())

    async def _proceed(self) -> None:
        await asyncio.sleep(_PROCEED_AFTER_S)
        with contextlib.suppress(OSError):  # it has gone; the reader tells
            async with self._writing:
                await descriptors.send(self._sock, encode_frame({"op": "proceed"}), ())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _settle(self, pid: int, code: int, peak_bytes: int = 0) -> None:
        asked = self._children.pop(pid, None)
        if asked is not None and not asked.exit_code.done():
            asked.usage.peak_bytes = peak_bytes
            asked.exit_code.set_result(code)
        if not self._children:
            self._childless.set()

    def _mourn(self) -> None:
        """The zygote has gone: nobody tells the ends of its children any more, so follow them."""
        self._give_up(ChildFailed(what="the zygote", log_tail=self.last_words()))
        for asked in self._children.values():
            self._do(self._follow(asked))

    def _give_up(self, why: ChildFailed) -> None:
        self.gone.set()
        _fail(self._ready, why)
        _fail(self._complete, why)
        for asked in self._asked.values():
            _fail(asked.process, why)

    async def _follow(self, asked: _Asked) -> None:
        process = asked.process.result()
        await exits.ended(process)
        self._settle(process.pid, await asyncio.to_thread(_word_left, asked.order))


def _disown(asked: _Asked) -> None:
    """End the child whose birth was told in the very turn in which who asked for it gave up."""
    told = asked.process
    if told.done() and not told.cancelled() and told.exception() is None:
        _kill(told.result())


def _kill(process: ProcessId) -> None:
    """End a child that nobody will hear of, before it has done anything."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever waits gets it, but nobody has to


def _word_left(order: Order) -> int:
    """Return the exit code that a host wrote down, as its supervisor would have returned it."""
    if not isinstance(order, HostOrder):
        return LOST_EXIT_CODE
    try:
        code = exit_from_json(Path(order.exit_file).read_text(encoding="utf-8")).exit_code
    except (OSError, ValueError):
        return LOST_EXIT_CODE
    return code if code >= 0 else FIRST_SIGNAL_STATUS - code
