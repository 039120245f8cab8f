"""Following one job: its runner is started or found again, and its journal goes into the store."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sagelet.domain.training import TrainingJob, TrainingJobStatus
from sagelet.errors import DiskFull, SageletError
from sagelet.journal.events import EventLog
from sagelet.supervision import exits, watching
from sagelet.supervision.child import Child
from sagelet.supervision.launcher import Launcher
from sagelet.supervision.process import ProcessId
from sagelet.training.ledger import Ledger
from sagelet.training.order import JobPaths
from sagelet.training.outcome import internal_error
from sagelet.training.records import History, JobEnded, read_events, read_history
from sagelet.training.spawning import RunnerProcess
from sagelet.training.waiting import KILL_SIGNAL, end_hosts
from sagelet.worker.frames import FrameDecoder, encode_frame
from sagelet.worker.spec import order_from_json

log = logging.getLogger(__name__)

RUNNERS = 3
"""How many runners may die on one job before it is given up."""

RECEIVE_BYTES = 65536
WRITE_AGAIN_S = 1.0

Spawn = Callable[[], Awaitable[RunnerProcess]]


class Follower:
    """Follows one job to its end."""

    def __init__(
        self, job: TrainingJob, paths: JobPaths, *, ledger: Ledger, launcher: Launcher, spawn: Spawn
    ) -> None:
        """Take the job; nothing is begun before `follow`.

        `spawn` lays the order down and starts a runner on it; it may raise OSError or SageletError.
        """
        self._name = job.name
        self._paths = paths
        self._events = EventLog(paths.events)
        self._ledger = ledger
        self._launcher = launcher
        self._spawn = spawn
        self._read_to = 0
        self._has_ended = False
        self._spawned = 0
        self._stop_asked = job.status is TrainingJobStatus.STOPPING
        self._kill_asked = False
        self._runner: ProcessId | None = None
        self._launched: set[ProcessId] = set()
        self._waits: set[asyncio.Task[int]] = set()

    def ask_to_stop(self) -> None:
        """Pass a stop on to the runner, now or as soon as there is one."""
        self._stop_asked = True
        self._signal(signal.SIGTERM)

    def ask_to_kill(self) -> None:
        """Have the runner end its hosts without their grace, now or as soon as there is one."""
        self._kill_asked = True
        self.ask_to_stop()
        self._signal(KILL_SIGNAL)

    def _signal(self, number: int) -> None:
        if self._runner is not None and self._runner.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._runner.pid, number)

    def _pass_on(self) -> None:
        """Tell a runner that is new here what was asked for before."""
        if self._kill_asked:
            self.ask_to_kill()
        elif self._stop_asked:
            self.ask_to_stop()

    async def follow(self) -> None:
        """See the job to its end, with a new runner where one died and the job can go on."""
        history = await asyncio.to_thread(read_history, self._events)
        runner = history.runner
        if runner is not None and history.end is None:
            process = ProcessId(runner.pid, runner.started_at)
            if process.is_running:
                await self._follow_adopted(process)
        while True:
            await self._insist(self._catch_up)
            if self._has_ended:  # and its folder may be gone: an ended job can be deleted
                return
            history = await asyncio.to_thread(read_history, self._events)
            if not self._can_go_on(history):
                await self._give_up(history)
                return
            try:
                self._spawned += 1
                spawned = await self._spawn()
            except (SageletError, OSError) as error:
                log.exception("the runner of training job %s cannot be started", self._name)
                await self._fail(str(error))
                return
            await self._follow_own(spawned)

    def _can_go_on(self, history: History) -> bool:
        """Whether a new runner takes the job on: it begins, goes on with it, or only ends it."""
        if max(history.runners, self._spawned) >= RUNNERS:
            return False
        return bool(history.hosts) or not self._stop_asked

    async def _give_up(self, history: History) -> None:
        """End a job that nobody works on any more."""
        if self._stop_asked and not history.hosts:
            await self._insist(lambda: self._ledger.stop(self._name))
            return
        await asyncio.to_thread(end_hosts, history)
        await self._fail(
            f"the process that ran this job was killed, or the machine stopped {self._last_words()}"
        )

    async def _fail(self, reason: str) -> None:
        """End a job by a failure of ours."""
        await self._insist(lambda: self._ledger.fail(self._name, internal_error(reason.strip())))

    async def _insist(self, write: Callable[[], None]) -> None:
        """Write to the store, again and again while its disk is full: an end must be told."""
        while True:
            try:
                await asyncio.to_thread(write)
            except DiskFull as error:
                log.warning("training job %s has to wait: %s", self._name, error)
                await asyncio.sleep(WRITE_AGAIN_S)
            else:
                return

    def _last_words(self) -> str:
        """The last line that a runner left in its own log, in parentheses; empty without one."""
        with contextlib.suppress(OSError):
            said = self._paths.runner_log.read_text(encoding="utf-8", errors="replace").split("\n")
            lines = [line.strip() for line in said if line.strip()]
            return f"({lines[-1]})" if lines else ""
        return ""

    async def _follow_own(self, runner: RunnerProcess) -> None:
        """Do what a runner of ours asks for, and follow it until it ends."""
        self._runner = runner.process
        self._pass_on()
        try:
            await self._serve(runner)
            await exits.ended(runner.process)
        finally:
            runner.let_go()
        self._runner = None
        await self._end_unrecorded()

    async def _end_unrecorded(self) -> None:
        """Kill hosts that a runner had started, and died before it could write so."""
        history = await asyncio.to_thread(read_history, self._events)
        recorded = {ProcessId(host.pid, host.started_at) for host in history.hosts.values()}
        for process in self._launched - recorded:
            if process.is_running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                await exits.ended(process)
        self._launched.clear()

    async def _serve(self, runner: RunnerProcess) -> None:
        """Answer a runner's frames until it hangs up."""
        loop = asyncio.get_running_loop()
        decoder = FrameDecoder()
        while data := await _receive(loop, runner):
            for frame in decoder.feed(data):
                if frame.header["op"] == "launch":
                    answer = await self._launch(frame.header["order"])
                    with contextlib.suppress(ConnectionError):
                        await loop.sock_sendall(runner.socket, encode_frame(answer))
            await self._try_to_catch_up()

    async def _launch(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Have a host started from the zygote; the answer for the runner."""
        try:
            child = await self._launcher.launch(order_from_json(json.dumps(order)))
        except (SageletError, OSError) as error:
            return {"op": "refused", "why": str(error)}
        self._reap(child)
        self._launched.add(child.process)
        return {
            "op": "launched",
            "pid": child.process.pid,
            "started_at": child.process.started_at,
            "warm": child.warm,
        }

    def _reap(self, child: Child) -> None:
        """Collect a host's exit code when it ends; what it means is in the host's exit file."""
        task = asyncio.ensure_future(child.wait())
        self._waits.add(task)
        task.add_done_callback(self._waits.discard)

    async def _follow_adopted(self, process: ProcessId) -> None:
        """Follow a runner that an earlier daemon started."""
        self._runner = process
        self._pass_on()
        gone = asyncio.Event()
        watch = asyncio.create_task(_tell_end(process, gone))
        try:
            await self._try_to_catch_up()
            async for _ in watching.watch([self._paths.events.parent], stop=gone):
                await self._try_to_catch_up()
            await gone.wait()
        finally:
            watch.cancel()
        self._runner = None

    async def _try_to_catch_up(self) -> None:
        """Catch up, unless the disk is full: the next event, or the job's end, tries again."""
        try:
            await asyncio.to_thread(self._catch_up)
        except DiskFull as error:
            log.warning("training job %s cannot be brought up to date: %s", self._name, error)

    def _catch_up(self) -> None:
        """Bring what the journal says by now into the store."""
        events, read_to = read_events(self._events, self._read_to)
        self._ledger.apply(self._name, events)
        self._has_ended = self._has_ended or any(isinstance(event, JobEnded) for event in events)
        self._read_to = read_to


async def _receive(loop: asyncio.AbstractEventLoop, runner: RunnerProcess) -> bytes:
    """Wait for the next bytes of a runner; none when it is gone."""
    try:
        return await loop.sock_recv(runner.socket, RECEIVE_BYTES)
    except ConnectionError:
        return b""


async def _tell_end(process: ProcessId, gone: asyncio.Event) -> None:
    """Set an event when a process has ended."""
    await exits.ended(process)
    gone.set()
