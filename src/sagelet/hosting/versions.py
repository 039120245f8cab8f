"""A version of an endpoint: what it serves, and a pool of workers for each variant."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sagelet.domain.home import Home
from sagelet.domain.hosting import Endpoint, Serving, Variant
from sagelet.errors import SageletError
from sagelet.hosting.fingerprints import Fingerprints
from sagelet.hosting.model_data import ModelFiles
from sagelet.hosting.output import LogSink
from sagelet.hosting.pool import Pool
from sagelet.hosting.routing import Routing
from sagelet.hosting.settings import Container, HostingSettings
from sagelet.hosting.starting import PoolStarter, Start
from sagelet.hosting.together import start_together
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


class Version:
    """What serves, from one update to the next."""

    def __init__(
        self, endpoint: Endpoint, serving: Serving, deployed: dict[str, Deployed], tree: Path
    ) -> None:
        """Take variants that are up; `tree` holds their files."""
        self.serving = serving
        self.deployed = deployed
        self._endpoint = endpoint.name
        self._routing = Routing(endpoint.name, serving.config.variants)
        self._tree = tree

    def takes(self, serving: Serving) -> bool:
        """Take new weights of what serves already; return whether that is all there was to do."""
        if serving.deployment != self.serving.deployment:
            return False
        self.serving = serving
        self._routing = Routing(self._endpoint, serving.config.variants)
        return True

    def pool_for(self, target_variant: str | None) -> Pool:
        """Return the pool that gets an invocation.

        Raises:
            VariantNotFound: there is no such variant.
        """
        return self.deployed[self._routing.choose(target_variant)].pool

    async def drain(self, within_s: float) -> None:
        """Let all requests be answered, end the workers, remove the files."""
        await asyncio.gather(*(each.pool.drain(within_s) for each in self.deployed.values()))
        await asyncio.gather(*(each.sink.flush() for each in self.deployed.values()))
        await asyncio.to_thread(shutil.rmtree, self._tree, ignore_errors=True)


class Deployer:
    """Brings versions up."""

    def __init__(
        self, *, starter: PoolStarter, logs: LogStreams, home: Home, settings: HostingSettings
    ) -> None:
        """Take what versions are made with."""
        self._starter = starter
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

        async def undo(up: list[Deployed]) -> None:
            await asyncio.gather(*(each.pool.drain(0) for each in up))
            await asyncio.to_thread(shutil.rmtree, tree, ignore_errors=True)

        starts = (
            self._deploy(endpoint, variant, serving, tree / variant.name, generation, on_note)
            for variant in serving.config.variants
        )
        deployed = await start_together(starts, undo)
        return Version(endpoint, serving, {each.variant.name: each for each in deployed}, tree)

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
    ) -> Deployed:
        model = serving.model_of(variant)
        sink = self.sink(endpoint, variant.name)
        prints: Fingerprints | None = None

        def note(text: str) -> None:
            sink.add(text)
            on_note(variant.name, text)

        try:
            container = Container.of(model, self._settings)
            start = Start(
                endpoint=endpoint.name,
                variant=variant.name,
                model=model,
                container=container,
                tree=tree,
                generation=generation,
                sink=sink,
                on_note=note,
            )
            files = await self._starter.lay_out(start)
            if files.watched is not None:
                prints = await asyncio.to_thread(Fingerprints, files.watched)
            pool = await self._starter.pool(start, files)
        except SageletError as error:
            raise VariantFailed(variant.name, error, prints) from error
        finally:
            await sink.flush()

        def renew(pool: Pool, generation: int) -> Awaitable[Pool]:
            return self._starter.renewed(pool, start, files, generation)

        return Deployed(variant, container, files, pool, sink, prints, renew)
