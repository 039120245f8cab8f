"""A version of an endpoint: what it serves, and a pool of workers for each variant."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagelet.domain.facts import VariantFacts
from sagelet.domain.home import Home
from sagelet.domain.hosting import Endpoint, Serving, Variant
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import SageletError, TargetModelNotSupported
from sagelet.hosting import ignored_variables
from sagelet.hosting.container_face import ContainerFaces, Hold, OneModel
from sagelet.hosting.fingerprints import Fingerprints
from sagelet.hosting.measuring import Measured
from sagelet.hosting.model_data import ModelFiles
from sagelet.hosting.multi_model import MultiModel
from sagelet.hosting.output import LogSink
from sagelet.hosting.pool import Pool
from sagelet.hosting.routing import Routing
from sagelet.hosting.settings import Container, HostingSettings
from sagelet.hosting.starting import PoolStarter, Start
from sagelet.hosting.together import start_together, to_the_end
from sagelet.journal.streams import LogStreams

VERSIONS = "versions"
"""The folder, in an endpoint's own, of what is laid out for each version."""


class VariantFailed(Exception):
    """A variant of a version did not come up. `folders` are those of the user's that it is from."""

    def __init__(self, variant: str, error: SageletError, watched: Fingerprints | None) -> None:
        """Keep the facts."""
        super().__init__(f"{variant}: {error}")
        self.variant = variant
        self.error = error
        self.watched = watched


@dataclass(eq=False)
class Deployed:
    """A variant that is up: its files, and the pool that serves them (a reload replaces it).

    `renew` makes a pool of another generation in the place of one, to be started.
    """

    variant: Variant
    container: Container
    files: ModelFiles
    pool: Pool
    sink: LogSink
    prints: Fingerprints | None
    renew: Callable[[Pool, int], Awaitable[Pool]]


class Serves(Protocol):
    """What takes an invocation."""

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one."""
        ...

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one whose answer is passed on in parts."""
        ...


@dataclass(frozen=True, slots=True)
class Up:
    """A variant that is up, of one model or of several, and its hold on a port of its own."""

    name: str
    server: Deployed | MultiModel
    hold: Hold | None

    def answers_at_its_port(self, endpoint: str) -> None:
        """Take what comes in at its port, if it has one."""
        if self.hold is None:
            return
        if isinstance(self.server, MultiModel):
            self.hold.up(self.server)
        else:
            self.hold.up(OneModel(endpoint, self.server.container, self.server))

    async def drain(self, within_s: float) -> None:
        """Let go of the port, let all requests be answered, end the workers."""
        draining = [self._server_drains(within_s)]
        if self.hold is not None:
            draining.append(self.hold.release(within_s))
        await asyncio.gather(*draining)

    async def _server_drains(self, within_s: float) -> None:
        if isinstance(self.server, MultiModel):
            await self.server.drain(within_s)
        else:
            await self.server.pool.drain(within_s)
            await self.server.sink.flush()


class Version:
    """What serves, from one update to the next. `deployed` are its variants of one model each."""

    def __init__(self, endpoint: Endpoint, serving: Serving, up: Sequence[Up], tree: Path) -> None:
        """Take variants that are up; `tree` holds their files."""
        self.serving = serving
        self.deployed = {each.name: each.server for each in up if isinstance(each.server, Deployed)}
        self._many = {each.name: each.server for each in up if isinstance(each.server, MultiModel)}
        self._up = up
        self._endpoint = endpoint.name
        self._routing = Routing(endpoint.name, serving.config.variants)
        self._tree = tree

    @property
    def port(self) -> int | None:
        """The first port that one of its containers is reached at, if any is."""
        return next((each.hold.port for each in self._up if each.hold is not None), None)

    def facts(self) -> tuple[VariantFacts, ...]:
        """Return what is known of each variant, in the configuration's order."""
        return tuple(
            each.server.facts() if isinstance(each.server, MultiModel) else each.server.pool.facts()
            for each in self._up
        )

    def measured(self) -> Iterator[Measured]:
        """Yield what is measured of each variant."""
        for each in self._up:
            server = each.server if isinstance(each.server, MultiModel) else each.server.pool
            yield Measured(self._endpoint, each.name, server.meter, server.pids())

    def takes(self, serving: Serving) -> bool:
        """Take new weights of what serves already; return whether that is all there was to do."""
        if serving.deployment != self.serving.deployment:
            return False
        self.serving = serving
        self._routing = Routing(self._endpoint, serving.config.variants)
        return True

    def pool_for(self, invocation: Invocation) -> Serves:
        """Return the pool that gets an invocation, or the models among which it names one.

        Raises:
            VariantNotFound: there is no such variant.
            TargetModelNotSupported: it names a model of a variant that has but one.
        """
        name = self._routing.choose(invocation.target_variant)
        deployed = self.deployed.get(name)
        if deployed is None:
            return self._many[name]
        if invocation.target_model:
            raise TargetModelNotSupported(endpoint=self._endpoint)
        return deployed.pool

    async def drain(self, within_s: float) -> None:
        """Let all requests be answered, end the workers, remove the files."""
        await asyncio.gather(*(each.drain(within_s) for each in self._up))
        await asyncio.to_thread(shutil.rmtree, self._tree, ignore_errors=True)


class Deployer:
    """Brings versions up."""

    def __init__(
        self,
        *,
        starter: PoolStarter,
        faces: ContainerFaces,
        logs: LogStreams,
        home: Home,
        settings: HostingSettings,
    ) -> None:
        """Take what versions are made with."""
        self._starter = starter
        self._faces = faces
        self._logs = logs
        self._home = home
        self._settings = settings

    async def bring_up(
        self,
        endpoint: Endpoint,
        serving: Serving,
        generation: int,
        on_note: Callable[[str, str], None],
    ) -> Version:
        """Start all variants, and return when every worker of each has loaded its model.

        `on_note` is told of what happens to a variant's workers.

        Raises:
            VariantFailed: one did not come up; nothing is left of the others.
        """
        tree = self._home.endpoint(endpoint.ulid) / VERSIONS / str(generation)

        async def undo(up: list[Up]) -> None:
            await asyncio.gather(*(each.drain(0) for each in up))
            await asyncio.to_thread(shutil.rmtree, tree, ignore_errors=True)

        starts = (
            self._deploy(endpoint, variant, serving, tree / variant.name, generation, on_note)
            for variant in serving.config.variants
        )
        up = await start_together(starts, undo)
        for each in up:
            each.answers_at_its_port(endpoint.name)
        return Version(endpoint, serving, up, tree)

    def sink(self, endpoint: Endpoint, variant: str) -> LogSink:
        """Return the log stream of a variant."""
        group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
        return LogSink(self._logs, group, f"{variant}/{endpoint.ulid.lower()}")

    async def _deploy(
        self,
        endpoint: Endpoint,
        variant: Variant,
        serving: Serving,
        tree: Path,
        generation: int,
        on_note: Callable[[str, str], None],
    ) -> Up:
        model = serving.model_of(variant)
        sink = self.sink(endpoint, variant.name)

        def note(text: str) -> None:
            sink.add(text)
            on_note(variant.name, text)

        try:
            container = Container.of(model, self._settings)
            hold = await self._faces.hold(endpoint, variant.name, container)
        except SageletError as error:
            raise VariantFailed(variant.name, error, None) from error
        sink.keep(container.log_bytes)
        for notice in ignored_variables.notices(model.environment):
            sink.add(notice)
        start = Start(
            endpoint=endpoint.name,
            ulid=endpoint.ulid,
            variant=variant.name,
            model=model,
            container=container,
            tree=tree,
            generation=generation,
            sink=sink,
            on_note=note,
        )
        return await self._up(start, variant, hold)

    async def _up(self, start: Start, variant: Variant, hold: Hold | None) -> Up:
        """Return a variant that is up; if it does not come up, let go of its port."""
        try:
            up = Up(variant.name, await self._server(start, variant), hold)
        except BaseException:
            if hold is not None:
                await hold.release(0)
            await start.sink.flush()
            raise
        try:
            await start.sink.flush()
        except BaseException:
            await to_the_end(up.drain(0))  # nobody else knows of it yet
            raise
        return up

    async def _server(self, start: Start, variant: Variant) -> Deployed | MultiModel:
        prints: Fingerprints | None = None
        try:
            if start.container.multi_model:
                urls = self._starter.urls(start.model)
                drain_s = self._settings.drain_s
                return MultiModel(start, starter=self._starter, urls=urls, drain_s=drain_s)
            files = await self._starter.lay_out(start)
            if files.watched is not None:
                prints = await asyncio.to_thread(Fingerprints, files.watched)
            pool = await self._starter.pool(start, files)
        except SageletError as error:
            raise VariantFailed(start.variant, error, prints) from error

        def renew(pool: Pool, generation: int) -> Awaitable[Pool]:
            return self._starter.renewed(pool, start, files, generation)

        return Deployed(variant, start.container, files, pool, start.sink, prints, renew)
