"""One serving worker: a child process with a loaded model, its socket and its output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sagelet.errors import ChildFailed, WorkerStartFailed
from sagelet.hosting.connection import ConnectionGone, WorkerConnection
from sagelet.hosting.output import OutputPipe
from sagelet.supervision.child import Child
from sagelet.worker.frames import Frame
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
    """A worker whose model is loaded. It answers one request at a time."""

    def __init__(
        self,
        child: Child,
        connection: WorkerConnection,
        output: OutputPipe,
        loaded: Mapping[str, Any],
    ) -> None:
        """Take the parts of a worker that has said that it is loaded."""
        self._child = child
        self._output = output
        self.connection = connection
        self.generation = int(loaded["generation"])
        self.load_ms = float(loaded["load_ms"])
        self.replies = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.process.pid

    async def exit_code(self) -> int:
        """Return how its process ended, once its socket has: the rest of it is ended too."""
        try:
            return await asyncio.wait_for(self._child.wait(), _LINGER_S)
        except TimeoutError:
            return await self._child.stop(0)

    async def stop(self, grace_s: float) -> None:
        """Let it finish, then insist."""
        self.connection.tell({"op": "stop"})
        try:
            await asyncio.wait_for(self._child.wait(), grace_s)
        except TimeoutError:
            await self._child.stop(grace_s)
        self.connection.close()
        await _over(self._output)

    async def abort(self) -> None:
        """End a worker that hangs: its stacks go to the log first."""
        self._child.signal(signal.SIGABRT)
        try:
            await asyncio.wait_for(self._child.wait(), _LINGER_S)
        except TimeoutError:
            await self._child.stop(0)
        self.connection.close()


@dataclass(frozen=True, slots=True)
class Recruiting:
    """How workers of one version come to be. `load_s` is the limit for loading the model."""

    launcher: Launches
    order: ServeOrder
    load_s: float
    stop_s: float
    on_line: Callable[[str], None]

    def at_generation(self, generation: int) -> Recruiting:
        """Return the same for the code and model of another generation."""
        return replace(self, order=replace(self.order, generation=generation))

    async def start(self) -> Worker:
        """Start a worker and wait until its model is loaded.

        Raises:
            WorkerStartFailed: it did not load, with the user's error.
        """
        ours, theirs = socket.socketpair()
        reading, stdout = os.pipe()
        output = await OutputPipe.read(reading, self.on_line)
        connection = await WorkerConnection.over(ours)
        try:
            return await self._start(connection, output, theirs, stdout)
        except BaseException:
            connection.close()
            await _over(output)
            raise

    async def _start(
        self, connection: WorkerConnection, output: OutputPipe, theirs: socket.socket, stdout: int
    ) -> Worker:
        first = connection.first_words()
        stderr = os.dup(stdout)  # each descriptor is the child's to close
        try:
            child = await self._launch((theirs.fileno(), stdout, stderr))
        except BaseException:
            first.cancel()  # nobody will ask for it
            raise
        finally:
            theirs.close()
            os.close(stdout)
            os.close(stderr)
        try:
            loaded = await self._loaded(first, child, output)
        except BaseException:
            connection.close()
            if not child.has_ended:
                await asyncio.shield(child.stop(self.stop_s))
            raise
        return Worker(child, connection, output, loaded)

    async def _launch(self, fds: Sequence[int]) -> Child:
        """Launch the child. Once begun it is not broken off: nobody would own the child then."""
        launching = asyncio.ensure_future(self.launcher.launch(self.order, fds))
        try:
            return await asyncio.shield(launching)
        except asyncio.CancelledError:
            await asyncio.wait({launching})
            if launching.exception() is None:
                await launching.result().stop(self.stop_s)
            raise
        except ChildFailed as error:
            raise WorkerStartFailed(
                what=error.what, exit_code=error.exit_code, log_tail=error.log_tail
            ) from error

    async def _loaded(
        self, first: asyncio.Future[Frame], child: Child, output: OutputPipe
    ) -> Mapping[str, Any]:
        what = f"loading {self.order.program}"
        try:
            header = (await asyncio.wait_for(first, self.load_s)).header
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
    """Wait for the last line; a process that a worker left behind may hold the pipe for ever."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(output.ended), _LINGER_S)
