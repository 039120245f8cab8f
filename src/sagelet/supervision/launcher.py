"""Launching children: as forks of a zygote where that is safe, as new interpreters elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagelet.errors import ChildFailed
from sagelet.supervision import fork_safety
from sagelet.supervision.backoff import Backoff, CrashBreaker
from sagelet.supervision.child import Child
from sagelet.supervision.cold import ColdChild
from sagelet.supervision.warmth import Ready
from sagelet.supervision.zygote import Zygote
from sagelet.worker.spec import Order

__all__ = ["PRELOAD", "Child", "Launcher", "Launchers"]

PRELOAD = (
    "torch",
    "torch._dynamo",
    "numpy",
    "torch.distributed",
    "torch.utils.data",
    # What else a script's first steps import: looking a host up, backward(), save(), a DataLoader
    # with workers, @record. Not every torch has them all.
    "encodings.idna",
    "torch.profiler._cupti_monitor",
    "torch.utils.serialization",
    "multiprocessing.popen_fork",
    "multiprocessing.queues",
    "multiprocessing.synchronize",
    "torch.distributed.elastic.multiprocessing.errors",
)

_READY_WITHIN_S = 60.0


class Launcher:
    """Launches children under one interpreter."""

    def __init__(
        self,
        python: Path,
        *,
        package_path: Path,
        preload: Sequence[str] = PRELOAD,
        warm: bool = True,
        on_note: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare; nothing is started before `start` or `launch`.

        `on_note` is told in one line why a launch was cold, and what became of the zygote. The
        zygote gets a few of the variables in `environment` (absent: this process's own), and
        `backoff` says how long a dead one stays dead.
        """
        self._python = python
        self._package_path = package_path
        self._preload = tuple(preload)
        self._why_never = "" if warm else "warm starts are switched off"
        if sys.platform != "linux":
            self._why_never = "only Linux forks a warm interpreter safely"
        self._on_note = on_note
        self._environment = os.environ if environment is None else environment
        self._zygote: Zygote | None = None
        self._zygotes: set[Zygote] = set()
        self._retired: set[Zygote] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cold: set[ColdChild] = set()
        self._backoff = backoff or Backoff()
        self._breaker = CrashBreaker()

    async def start(self) -> None:
        """Begin to warm a zygote in the background, unless one is there."""
        if not self._zygotes and not self._why_never:
            self._zygote = self._new_zygote()

    async def launch(self, order: Order, fds: Sequence[int] = ()) -> Child:
        """Start a child with an order and its descriptors, which remain the caller's to close.

        Raises:
            ChildFailed: the interpreter cannot be run.
        """
        await self.start()
        try:
            zygote = await self._zygote_for(order)
            fork = await zygote.fork(order, fds)
        except (_Cold, ChildFailed) as why:
            self._on_note(f"cold start: {why}")
            return self._launch_cold(order, fds)
        return Child(fork.process, warm=True, exit_code=fork.exit_code, usage=fork.usage)

    async def close(self) -> None:
        """Let the zygote go, and with it serving workers; training hosts run on."""
        self._why_never = "the launcher is closed"
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(zygote.close() for zygote in self._zygotes))
        await asyncio.gather(*(child.abandon() for child in self._cold))
        self._zygotes.clear()
        self._cold.clear()

    def _launch_cold(self, order: Order, fds: Sequence[int]) -> Child:
        child = ColdChild.start(self._python, self._package_path, order, fds)
        self._cold.add(child)
        child.exit_code.add_done_callback(lambda _: self._cold.discard(child))
        return Child(child.process, warm=False, exit_code=child.exit_code, usage=child.usage)

    async def _zygote_for(self, order: Order) -> Zygote:
        """Return a zygote that may fork for an order; raise _Cold with the reason if none may."""
        zygote = self._zygote
        if zygote is None:
            raise _Cold(self._why_never or "the zygote is starting again")
        try:
            ready = await asyncio.wait_for(zygote.ready(), _READY_WITHIN_S)
        except TimeoutError:
            if self._zygote is zygote:  # it may still come; until then nobody waits again
                self._zygote = None
            raise _Cold(f"the zygote was not ready in {_READY_WITHIN_S:g} s") from None
        if zygote.gone.is_set():
            raise _Cold("the zygote is starting again")
        if ready.is_stale:
            if zygote not in self._retired:
                self._retire(zygote)
                self._new_zygote()
            raise _Cold("packages were installed or removed; the zygote is starting again")
        unsafe = fork_safety.why_cold(order, ready.warmth)
        if unsafe:
            raise _Cold(unsafe)
        return zygote

    def _new_zygote(self) -> Zygote | None:
        """Start a zygote that will be ours once it is ready; None where there is no interpreter."""
        try:
            zygote = Zygote.start(
                self._python, self._package_path, self._preload, self._environment
            )
        except ChildFailed as failed:
            self._why_never = str(failed)
            return None
        self._zygotes.add(zygote)
        self._do(self._live(zygote))
        return zygote

    async def _live(self, zygote: Zygote) -> None:
        """Put a zygote to use when it is ready, and start another when it dies."""
        try:
            await zygote.ready()
            self._zygote = zygote
            complete = await zygote.complete()
        except ChildFailed:
            pass  # told below
        else:
            self._backoff.reset()
            self._on_note(_arrival(complete))
        await zygote.gone.wait()
        if zygote in self._retired:
            return
        words = zygote.last_words()
        self._on_note("the zygote died" + (f": {words}" if words else ""))
        self._retire(zygote)
        if self._breaker.record():
            self._why_never = "the zygote keeps dying"
            return
        await asyncio.sleep(self._backoff.next())
        self._new_zygote()

    def _retire(self, zygote: Zygote) -> None:
        """Use a zygote no more; it still tells of its children until the last has ended."""
        self._retired.add(zygote)
        if self._zygote is zygote:
            self._zygote = None
        self._do(self._see_off(zygote))

    async def _see_off(self, zygote: Zygote) -> None:
        await zygote.without_children()
        await zygote.close()
        self._zygotes.discard(zygote)
        self._retired.discard(zygote)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _arrival(ready: Ready) -> str:
    """Say in a line what a zygote has imported, and what it could not."""
    line = f"the zygote is ready: Python {ready.python}, {', '.join(ready.imported)}"
    missing = ", ".join(f"{name} ({why})" for name, why in ready.skipped.items())
    return f"{line}; not imported: {missing}" if missing else line


class _Cold(Exception):
    """Why a launch is cold."""


class Launchers:
    """One launcher an interpreter, made when it is first asked for."""

    def __init__(
        self,
        *,
        package_path: Path,
        preload: Sequence[str] = PRELOAD,
        warm: bool = True,
        on_note: Callable[[str], None],
    ) -> None:
        """Prepare; the arguments are those of every launcher."""
        self._package_path = package_path
        self._preload = tuple(preload)
        self._warm = warm
        self._on_note = on_note
        self._launchers: dict[Path, Launcher] = {}

    def for_python(self, python: Path | None) -> Launcher:
        """Return the launcher of an interpreter (None: of the one that runs here)."""
        # Not resolved: a virtual environment's python is a link, and is where it is by its name.
        path = Path(sys.executable) if python is None else python.absolute()
        launcher = self._launchers.get(path)
        if launcher is None:
            launcher = self._launchers[path] = Launcher(
                path,
                package_path=self._package_path,
                preload=self._preload,
                warm=self._warm,
                on_note=self._on_note,
            )
        return launcher

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(launcher.close() for launcher in self._launchers.values()))
