"""The models that a container of several has loaded: as many as there is room for.

Each has a pool of its own. One that is asked for while there is no room takes the place of the one
that was used least recently, which answers what it was asked first.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sagelet.domain.container import LoadedModel
from sagelet.errors import ModelNotLoaded, ModelNotReady
from sagelet.hosting.pool import Pool
from sagelet.hosting.starting import PoolStarter, Start

log = logging.getLogger(__name__)

IN_OPT_ML = "models/{}/model"
"""Where a model of this name appears below /opt/ml."""

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Held:
    """A model that is loaded. `called` is what people call it."""

    model: LoadedModel
    called: str
    pool: Pool
    tree: Path


class ModelShelf:
    """Models by name, the least recently used first. For the daemon's event loop."""

    def __init__(self, start: Start, starter: PoolStarter, drain_s: float) -> None:
        """Hold nothing. Each model's start is made of the container's."""
        self.limit = start.container.max_models
        self._start = start
        self._starter = starter
        self._drain_s = drain_s
        self._a_few_at_once = asyncio.Semaphore(self.limit)
        self._held: dict[str, Held] = {}
        self._loading: dict[str, asyncio.Task[Held]] = {}
        self._wanted: Counter[str] = Counter()
        self._background: set[asyncio.Task[Any]] = set()
        self._trees = itertools.count(1)
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more, counting those that are being loaded."""
        return len(self._held.keys() | self._loading.keys()) >= self.limit

    def __contains__(self, name: object) -> bool:
        """Say whether a model is loaded, or being loaded."""
        return name in self._held or name in self._loading

    def all(self) -> list[Held]:
        """Return what is loaded, by name."""
        return [self._held[name] for name in sorted(self._held)]

    def use(self, name: str) -> Held | None:
        """Return a model that is loaded, as the one that was used last."""
        held = self._held.pop(name, None)
        if held is not None:
            self._held[name] = held
        return held

    @contextmanager
    def wanting(self, name: str) -> Iterator[None]:
        """Keep a model, once it is loaded, until it has got a request that waits for it."""
        self._wanted[name] += 1
        try:
            yield
        finally:
            self._wanted[name] -= 1
            if not self._wanted[name]:
                del self._wanted[name]
            self._make_room(0)

    async def load(self, model: LoadedModel, called: str, data_url: str) -> None:
        """Load a model, or wait until somebody else has; it goes on if the wait is given up.

        Raises:
            SageletError: it does not load.
            ModelNotReady: everything is being unloaded.
        """
        loading = self._loading.get(model.name) or self._begin_loading(model, called, data_url)
        try:
            await asyncio.shield(loading)
        except asyncio.CancelledError:
            if loading.cancelled():  # the endpoint goes, and the request with it
                raise ModelNotReady(endpoint=self._start.endpoint, model=called) from None
            raise

    async def unload(self, name: str) -> None:
        """Unload a model once what has come in for it is answered.

        Raises:
            ModelNotLoaded: there is none of that name.
        """
        held = self._held.pop(name, None)
        if held is None:
            raise ModelNotLoaded(name=name)
        # Whoever asked for it may go away meanwhile, and the model is in nobody else's hands.
        await asyncio.shield(self.begin(self._retire(held, self._drain_s)))

    async def drain(self, within_s: float) -> None:
        """Let all requests be answered, and end all workers."""
        self._is_closed = True
        loading, held = list(self._loading.values()), list(self._held.values())
        self._held.clear()
        for task in loading:
            task.cancel()
        await asyncio.gather(*(self._retire(each, within_s) for each in held))
        await asyncio.gather(*loading, *self._background, return_exceptions=True)

    def begin(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        """Do something that `drain` waits for, whoever else does."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _begin_loading(self, model: LoadedModel, called: str, data_url: str) -> asyncio.Task[Held]:
        if self._is_closed:
            raise ModelNotReady(endpoint=self._start.endpoint, model=called)
        task = self.begin(self._load(model, called, data_url))
        self._loading[model.name] = task
        task.add_done_callback(lambda _: self._loading.pop(model.name, None))
        return task

    async def _load(self, model: LoadedModel, called: str, data_url: str) -> Held:
        tree = self._start.tree / f"{model.name}-{next(self._trees)}"
        start = replace(
            self._start,
            model=replace(self._start.model, data_url=data_url, is_multi=False),
            tree=tree,
            place=IN_OPT_ML.format(model.name),
        )
        async with self._a_few_at_once:
            self._make_room(1)
            try:
                files = await self._starter.lay_out(start)
                pool = await self._starter.pool(start, files)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, tree, ignore_errors=True)
                await start.sink.flush()
                raise
            # Held before anything else is waited for: `drain` ends what is held.
            held = self._held[model.name] = Held(model, called, pool, tree)
            await start.sink.flush()
        self._make_room(0)
        start.sink.add(f"loaded model {called}; {len(self._held)} of {self.limit} are")
        return held

    def _make_room(self, wanted: int) -> None:
        """Unload the least recently used until so many more may be loaded.

        One that somebody waits for is kept, even if there are too many for that moment.
        """
        idle = [name for name in self._held if not self._wanted[name]]
        for name in idle[: max(0, len(self._held) + wanted - self.limit)]:
            held = self._held.pop(name)
            self._start.sink.add(f"unloading model {held.called}, the least recently used")
            _ = self.begin(self._retire(held, self._drain_s))

    async def _retire(self, held: Held, within_s: float) -> None:
        await held.pool.drain(within_s)
        await asyncio.to_thread(shutil.rmtree, held.tree, ignore_errors=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Look at how it ended, since whoever began it may have stopped waiting."""
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.info("endpoint %s: %s", self._start.endpoint, error)
