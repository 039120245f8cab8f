"""One serving worker: a child process with a loaded model, its socket and its output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from sagelet.errors import ChildFailed, WorkerStartFailed
from sagelet.hosting import failures
from sagelet.hosting.connection import ConnectionGone, WorkerConnection
from sagelet.hosting.death import Death, OutOfMemoryKills
from sagelet.hosting.output import OutputPipe
from sagelet.hosting.together import to_the_end
from sagelet.hosting.traces import Traces
from sagelet.supervision.child import Child
from sagelet.worker.frames import encode_frame
from sagelet.worker.spec import ServeOrder

_LINGER_S = 1.0
"""How long a process may outlive its socket, or a dump of its stacks."""


class Launches(Protocol):
    """What a worker needs of a launcher."""

    async def launch(self, order: ServeOrder, fds: Sequence[int]) -> Child:
        """Start a child with an order and [frame socket, stdout, stderr]."""
        ...


class Interpreters(Protocol):
    """Launchers by interpreter; None stands for the one that runs the daemon."""

    def for_python(self, python: Path | None) -> Launches:
        """Return the launcher of an interpreter."""
        ...


class Worker:
    """A worker whose model is loaded. It answers one request at a time, `batches` several."""

    def __init__(
        self,
        child: Child,
        connection: WorkerConnection,
        output: OutputPipe,
        loaded: Mapping[str, Any],
        kills: OutOfMemoryKills,
    ) -> None:
        """Take the parts of a worker that has said that it is loaded."""
        self._child = child
        self._output = output
        self._kills = kills
        self._kills_before = kills.count()
        self.connection = connection
        self.generation = int(loaded["generation"])
        self.load_ms = float(loaded["load_ms"])
        self.batches = bool(loaded.get("batches"))
        self.replies = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.process.pid

    def tell(self, header: Mapping[str, Any]) -> None:
        """Tell it something that it does not reply to."""
        with contextlib.suppress(ConnectionGone):  # then there is nobody to tell
            self.connection.send(encode_frame(header))

    async def death(self) -> Death:
        """Return how its process ended, once its socket has: the rest of it is ended too."""
        try:
            async with asyncio.timeout(_LINGER_S):
                exit_code = await self._child.wait()
        except TimeoutError:
            exit_code = await self._child.stop(0)
        is_killed = failures.may_be_out_of_memory(exit_code)
        return Death(
            exit_code,
            peak_bytes=self._child.peak_bytes,
            is_out_of_memory=is_killed and self._kills.count() > self._kills_before,
        )

    async def stop(self, grace_s: float) -> None:
        """Let it finish, then insist."""
        self.tell({"op": "stop"})
        try:
            async with asyncio.timeout(grace_s):
                await self._child.wait()
        except TimeoutError:
            await self._child.stop(grace_s)
        finally:
            await self.over()

    async def abort(self) -> None:
        """End a worker that hangs: its stacks go to the log first."""
        self._child.signal(signal.SIGABRT)
        try:
            async with asyncio.timeout(_LINGER_S):
                await self._child.wait()
        except TimeoutError:
            await self._child.stop(0)

    async def over(self) -> None:
        """Hang up, and wait for the last that its process has printed."""
        self.connection.close()
        await _over(self._output)


@dataclass(frozen=True, slots=True)
class Recruiting:
    """How workers of one version come to be. `load_s` is the limit for loading the model."""

    launcher: Launches
    order: ServeOrder
    load_s: float
    stop_s: float
    on_line: Callable[[str], None]
    traces: Traces = field(default_factory=Traces)
    kills: OutOfMemoryKills = field(default_factory=OutOfMemoryKills)

    def at_generation(self, generation: int) -> Recruiting:
        """Return the same for the code and model of another generation."""
        return replace(self, order=replace(self.order, generation=generation))

    async def start(self) -> Worker:
        """Start a worker and wait until its model is loaded.

        Raises:
            WorkerStartFailed: it did not load, with the user's error.
        """
        async with contextlib.AsyncExitStack() as undo:
            with contextlib.ExitStack() as childs:
                theirs, stdout, output, connection = await self._lines(childs, undo)
                stderr = os.dup(stdout)  # each descriptor is the child's to close
                childs.callback(os.close, stderr)
                child = await self._launch((theirs.fileno(), stdout, stderr))
            undo.push_async_callback(self._end, connection, child)
            loaded = await self._loaded(connection, child, output)
            undo.pop_all()
        return Worker(child, connection, output, loaded, self.kills)

    async def _lines(
        self, childs: contextlib.ExitStack, undo: contextlib.AsyncExitStack
    ) -> tuple[socket.socket, int, OutputPipe, WorkerConnection]:
        """Make a socket and a pipe; the child's ends are closed with `childs`, ours by `undo`."""
        ours, theirs = socket.socketpair()
        childs.enter_context(theirs)
        with contextlib.ExitStack() as failed:
            failed.enter_context(ours)
            reading, stdout = os.pipe()
            childs.callback(os.close, stdout)
            output = await OutputPipe.read(reading, self.on_line, self.traces)
            undo.push_async_callback(_over, output)
            connection = await WorkerConnection.over(ours)
            undo.callback(connection.close)
            failed.pop_all()
        return theirs, stdout, output, connection

    async def _end(self, connection: WorkerConnection, child: Child) -> None:
        """End a child that did not come up."""
        connection.close()
        if not child.has_ended:
            await to_the_end(child.stop(self.stop_s))

    async def _launch(self, fds: Sequence[int]) -> Child:
        """Launch the child. Once begun it is not broken off: nobody would own the child then."""
        launching = asyncio.ensure_future(self.launcher.launch(self.order, fds))
        try:
            return await to_the_end(launching)
        except asyncio.CancelledError:
            if not launching.cancelled() and launching.exception() is None:
                await to_the_end(launching.result().stop(self.stop_s))
            raise
        except ChildFailed as error:
            raise WorkerStartFailed(
                what=error.what, exit_code=error.exit_code, log_tail=error.log_tail
            ) from error

    async def _loaded(
        self, connection: WorkerConnection, child: Child, output: OutputPipe
    ) -> Mapping[str, Any]:
        what = f"loading {self.order.program}"
        try:
            # Not wait_for: Python 3.11's may pass over that this task is cancelled.
            async with asyncio.timeout(self.load_s):
                header = (await connection.first_words()).header
        except TimeoutError:
            text = f"the model was not loaded within {self.load_s:g} s"
            raise WorkerStartFailed(what=what, error=text, log_tail=output.tail) from None
        except ConnectionGone:
            exit_code = await child.wait()
            await _over(output)
            raise WorkerStartFailed(what=what, exit_code=exit_code, log_tail=output.tail) from None
        if header["op"] == "loaded":
            return header
        raise WorkerStartFailed(
            what=what,
            error=header["error"],
            where=header["where"],
            traceback=header["traceback"],
            advice=header["advice"],
            log_tail=output.tail,
        )


async def _over(output: OutputPipe) -> None:
    """Wait for the last line, but not for ever: what a worker left behind may hold the pipe."""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                await asyncio.shield(output.ended)
    finally:
        output.close()
