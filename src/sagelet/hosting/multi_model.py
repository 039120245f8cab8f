"""A container of several models: each is loaded when it is first asked for, in a pool of its own.

    TargetModel a.tar.gz ── loaded? ── its pool
                               └── no: load it, unload the least recently used if there is no room

On SageMaker half of this is the platform's and half the container's: the platform names a model by
a hash of its TargetModel, fetches it to /opt/ml/models/<hash>/model, and tells the container to
load it. `submit` and `stream` are the platform's side; the rest is the container's own.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

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
from sagelet.hosting.model_shelf import IN_OPT_ML, Held, ModelShelf
from sagelet.hosting.model_urls import ModelUrls
from sagelet.hosting.starting import PoolStarter, Start

_NAME_CHARACTERS = 32


class MultiModel(ContainerSettings):
    """The models of one variant, on the daemon's event loop."""

    why_unhealthy = ""

    def __init__(
        self, start: Start, *, starter: PoolStarter, urls: ModelUrls, drain_s: float
    ) -> None:
        """Load nothing yet. Each model's start is made of the container's."""
        super().__init__(start.endpoint, start.container)
        self.meter = starter.meter(start)
        self._start = replace(start, meter=self.meter)
        self._shelf = ModelShelf(self._start, starter, drain_s)
        self._urls = urls

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
        return tuple(held.model for held in self._shelf.all())

    def pids(self) -> tuple[int, ...]:
        """Return the processes of all of them."""
        return tuple(pid for held in self._shelf.all() for pid in held.pool.pids())

    def facts(self) -> VariantFacts:
        """Return what is known of all of them together."""
        facts = [held.pool.facts() for held in self._shelf.all()]
        return VariantFacts(
            variant=self.variant,
            generation=self._start.generation,
            contract=self._start.container.contract,
            is_parked=False,
            waiting=sum(each.waiting for each in facts),
            workers=tuple(worker for each in facts for worker in each.workers),
            requests=self.meter.requests,
            errors=self.meter.errors,
            latency_ms=self.meter.latency_ms(),
            phases_ms=self.meter.phases_ms(),
            differs=dict(self.meter.differs),
        )

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation of the model that it names; the model may have to be loaded first.

        Raises (here, or as the result's exception):
            TargetModelRequired: it names none.
            TargetModelMissing: there is none of that name.
            ModelNotReady: loading takes too long; it goes on.
            QueueFull: too many requests wait for it.
        """
        target = self._target(invocation)
        held = self._shelf.use(_name_of(target))
        if held is not None:
            return held.pool.submit(invocation)
        return self._shelf.begin(self._submit_when_loaded(target, invocation))

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        Raises:
            SageletError: as `submit`.
        """
        target = self._target(invocation)
        try:
            with self._shelf.wanting(_name_of(target)):
                held = await self._loaded(target)
                return await held.pool.stream(invocation)
        except (WorkerStartFailed, RequirementsFailed) as error:
            return self._refusal(target, error)

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation of a model by the name that the container knows it by.

        Raises:
            ModelNotLoaded: there is none of that name.
            QueueFull: too many requests wait for it.
        """
        name = invocation.target_model or ""
        held = self._shelf.use(name)
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
        if name in self._shelf:
            raise ModelAlreadyLoaded(name=name)
        if self._shelf.is_full:
            raise NoRoomForModel(name=name, limit=self._shelf.limit)
        await self._shelf.load(LoadedModel(name, url), name, data_url)

    async def unload(self, name: str) -> None:
        """Unload a model once what has come in for it is answered.

        Raises:
            ModelNotLoaded: there is none of that name.
        """
        await self._shelf.unload(name)

    async def drain(self, within_s: float) -> None:
        """Let all requests be answered, and end all workers."""
        await self._shelf.drain(within_s)
        await self._start.sink.flush()

    def _target(self, invocation: Invocation) -> str:
        if not invocation.target_model:
            raise TargetModelRequired(endpoint=self.endpoint)
        return invocation.target_model

    async def _submit_when_loaded(self, target: str, invocation: Invocation) -> Answer:
        try:
            with self._shelf.wanting(_name_of(target)):
                held = await self._loaded(target)
                reply = held.pool.submit(invocation)
        except (WorkerStartFailed, RequirementsFailed) as error:
            return self._refusal(target, error)
        return await reply

    async def _loaded(self, target: str) -> Held:
        """Return the model that an invocation names."""
        name = _name_of(target)
        model = LoadedModel(name, f"/opt/ml/{IN_OPT_ML.format(name)}")
        try:
            async with asyncio.timeout(self._start.container.timeout_s):
                while (held := self._shelf.use(name)) is None:
                    data_url = await asyncio.to_thread(self._urls.of_target, target)
                    if self._shelf.use(name) is None:
                        await self._shelf.load(model, target, data_url)
                return held
        except TimeoutError as error:
            raise ModelNotReady(endpoint=self.endpoint, model=target) from error

    def _refusal(self, target: str, error: SageletError) -> Answer:
        """Return what the container answers the platform, which passes it on."""
        status, body = not_loaded(_name_of(target), error)
        generation = self._start.generation
        return Answer(status, body, "application/json", self.variant, generation)


def _name_of(target: str) -> str:
    """Return the name that the container knows a TargetModel by."""
    return hashlib.sha256(target.encode()).hexdigest()[:_NAME_CHARACTERS]
