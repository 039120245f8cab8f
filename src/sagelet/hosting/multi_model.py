"""A container of several models: each is loaded when it is first asked for, in a pool of its own.

    TargetModel a.tar.gz ── loaded? ── its pool
                               └── no: unload the least recently used if there is no room, then
                                   lay out, start, its pool

On SageMaker half of this is the platform's and half the container's: the platform names a model by
a hash of its TargetModel, fetches it to /opt/ml/models/<hash>/model, and tells the container to
load it. `submit` and `stream` are the platform's side; the rest is the container's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sagelet.domain.container import LoadedModel, ManyModels
from sagelet.domain.facts import VariantFacts
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import (
    ModelAlreadyLoaded,
    ModelNotLoaded,
    ModelNotReady,
    NoRoomForModel,
    RequirementsFailed,
    SageletError,
    TargetModelRequired,
    WorkerStartFailed,
)
from sagelet.hosting.container_face import ContainerSettings
from sagelet.hosting.failures import not_loaded
from sagelet.hosting.metering import Meter
from sagelet.hosting.model_urls import ModelUrls
from sagelet.hosting.pool import Pool
from sagelet.hosting.starting import PoolStarter, Start

log = logging.getLogger(__name__)

_NAME_CHARACTERS = 32
_IN_OPT_ML = "models/{}/model"

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class _Held:
    """A model that is loaded. `called` is what people call it."""

    model: LoadedModel
    called: str
    pool: Pool
    tree: Path


class MultiModel(ContainerSettings):
    """The models of one variant, on the daemon's event loop."""

    why_unhealthy = ""

    def __init__(
        self, start: Start, *, starter: PoolStarter, urls: ModelUrls, drain_s: float
    ) -> None:
        """Load nothing yet. Each model's start is made of the container's."""
        super().__init__(start.endpoint, start.container)
        self._meter = Meter()
        self._start = replace(start, meter=self._meter)
        self._starter = starter
        self._urls = urls
        self._drain_s = drain_s
        self._limit = start.container.max_models
        self._a_few_at_once = asyncio.Semaphore(self._limit)
        # The least recently used first.
        self._held: dict[str, _Held] = {}
        self._loading: dict[str, asyncio.Task[_Held]] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._trees = itertools.count(1)

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self._start.variant

    @property
    def many(self) -> ManyModels | None:
        """Its models."""
        return self

    def models(self) -> tuple[LoadedModel, ...]:
        """Return what is loaded, by name."""
        return tuple(self._held[name].model for name in sorted(self._held))

    def facts(self) -> VariantFacts:
        """Return what is known of all of them together."""
        facts = [held.pool.facts() for held in self._held.values()]
        return VariantFacts(
            variant=self.variant,
            generation=self._start.generation,
            contract=self._start.container.contract,
            is_parked=False,
            waiting=sum(each.waiting for each in facts),
            workers=tuple(worker for each in facts for worker in each.workers),
            requests=self._meter.requests,
            errors=self._meter.errors,
            latency_ms=self._meter.latency_ms(),
            phases_ms=self._meter.phases_ms(),
            differs=dict(self._meter.differs),
        )

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation of the model that it names; the model may have to be loaded first.

        Raises (here, or as the result's exception):
            TargetModelRequired: it names none.
            TargetModelMissing: there is none of that name.
            ModelNotReady: loading takes too long; it goes on.
            QueueFull: too many requests wait for it.
        """
        held = self._use(_name_of(self._target(invocation)))
        if held is not None:
            return held.pool.submit(invocation)
        return self._begin(self._submit_when_loaded(invocation))

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        Raises:
            SageletError: as `submit`.
        """
        try:
            held = await self._loaded(self._target(invocation))
        except (WorkerStartFailed, RequirementsFailed) as error:
            return self._refusal(invocation, error)
        return await held.pool.stream(invocation)

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation of a model by the name that the container knows it by.

        Raises:
            ModelNotLoaded: there is none of that name.
            QueueFull: too many requests wait for it.
        """
        name = invocation.target_model or ""
        held = self._use(name)
        if held is None:
            raise ModelNotLoaded(name=name)
        return await held.pool.stream(invocation)

    async def load(self, name: str, url: str) -> None:
        """Load a model, as the container is told to by the platform.

        Raises:
            ModelAlreadyLoaded: the name is taken.
            ModelDataMissing: nothing is at the URL, or it is not below the variant's own.
            NoRoomForModel: as many are loaded as may be.
            WorkerStartFailed: it does not load.
        """
        data_url = await asyncio.to_thread(self._urls.at, url)
        if name in self._held or name in self._loading:
            raise ModelAlreadyLoaded(name=name)
        if len(self._held) + len(self._loading) >= self._limit:
            raise NoRoomForModel(name=name, limit=self._limit)
        await asyncio.shield(self._begin_loading(LoadedModel(name, url), name, data_url))

    async def unload(self, name: str) -> None:
        """Unload a model once what has come in for it is answered.

        Raises:
            ModelNotLoaded: there is none of that name.
        """
        held = self._held.pop(name, None)
        if held is None:
            raise ModelNotLoaded(name=name)
        await self._retire(held, self._drain_s)

    async def drain(self, within_s: float) -> None:
        """Let all requests be answered, and end all workers."""
        loading, held = list(self._loading.values()), list(self._held.values())
        self._held.clear()
        for task in loading:
            task.cancel()
        await asyncio.gather(*(self._retire(each, within_s) for each in held))
        await asyncio.gather(*loading, *self._background, return_exceptions=True)

    def _target(self, invocation: Invocation) -> str:
        if not invocation.target_model:
            raise TargetModelRequired(endpoint=self.endpoint)
        return invocation.target_model

    def _use(self, name: str) -> _Held | None:
        """Return a model that is loaded, as the one that was used last."""
        held = self._held.pop(name, None)
        if held is not None:
            self._held[name] = held
        return held

    async def _submit_when_loaded(self, invocation: Invocation) -> Answer:
        try:
            held = await self._loaded(self._target(invocation))
        except (WorkerStartFailed, RequirementsFailed) as error:
            return self._refusal(invocation, error)
        return await held.pool.submit(invocation)

    async def _loaded(self, target: str) -> _Held:
        name = _name_of(target)
        held = self._use(name)
        if held is not None:
            return held
        loading = self._loading.get(name)
        if loading is None:
            data_url = await asyncio.to_thread(self._urls.of_target, target)
            model = LoadedModel(name, f"/opt/ml/{_IN_OPT_ML.format(name)}")
            held, loading = self._use(name), self._loading.get(name)
            if held is not None:
                return held
            loading = loading or self._begin_loading(model, target, data_url)
        try:
            async with asyncio.timeout(self._start.container.timeout_s):
                return await asyncio.shield(loading)
        except TimeoutError as error:
            raise ModelNotReady(endpoint=self.endpoint, model=target) from error

    def _begin_loading(self, model: LoadedModel, called: str, data_url: str) -> asyncio.Task[_Held]:
        task = self._begin(self._load(model, called, data_url))
        self._loading[model.name] = task
        task.add_done_callback(lambda _: self._loading.pop(model.name, None))
        return task

    async def _load(self, model: LoadedModel, called: str, data_url: str) -> _Held:
        tree = self._start.tree / f"{model.name}-{next(self._trees)}"
        start = replace(
            self._start,
            model=replace(self._start.model, data_url=data_url, is_multi=False),
            tree=tree,
            place=_IN_OPT_ML.format(model.name),
        )
        async with self._a_few_at_once:
            self._make_room(1)
            try:
                files = await self._starter.lay_out(start)
                pool = await self._starter.pool(start, files)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, tree, ignore_errors=True)
                raise
            finally:
                await start.sink.flush()
        held = self._held[model.name] = _Held(model, called, pool, tree)
        self._make_room(0)
        start.sink.add(f"loaded model {called}; {len(self._held)} of {self._limit} are")
        return held

    def _make_room(self, wanted: int) -> None:
        """Unload the least recently used until so many more may be loaded."""
        while len(self._held) + wanted > self._limit:
            held = self._held.pop(next(iter(self._held)))
            self._start.sink.add(f"unloading model {held.called}, the least recently used")
            _ = self._begin(self._retire(held, self._drain_s))

    async def _retire(self, held: _Held, within_s: float) -> None:
        await held.pool.drain(within_s)
        await asyncio.to_thread(shutil.rmtree, held.tree, ignore_errors=True)

    def _refusal(self, invocation: Invocation, error: SageletError) -> Answer:
        """Return what the container answers the platform, which passes it on."""
        name = _name_of(self._target(invocation))
        status, body = not_loaded(name, error)
        generation = self._start.generation
        return Answer(status, body, "application/json", self.variant, generation)

    def _begin(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Look at how it ended, since whoever began it may have stopped waiting."""
        self._background.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.info("endpoint %s: %s", self.endpoint, error)


def _name_of(target: str) -> str:
    """Return the name that the container knows a TargetModel by."""
    return hashlib.sha256(target.encode()).hexdigest()[:_NAME_CHARACTERS]
