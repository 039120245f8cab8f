"""One endpoint as it runs: its version, what replaces it, and the folders that it is edited in."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from sagelet.domain.facts import EndpointFacts
from sagelet.domain.hosting import Endpoint, Serving
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import EndpointNotInService
from sagelet.hosting import failures
from sagelet.hosting.fingerprints import Fingerprints
from sagelet.hosting.folder_watch import Attempt, Changes, FolderWatch, Outcome
from sagelet.hosting.generations import Generations
from sagelet.hosting.ledger import Ledger
from sagelet.hosting.measuring import Measured
from sagelet.hosting.notes import HostingNotes
from sagelet.hosting.parking import Parkable
from sagelet.hosting.reloads import Reloading, Surroundings
from sagelet.hosting.settings import HostingSettings
from sagelet.hosting.together import to_the_end
from sagelet.hosting.versions import VERSIONS, Deployed, Deployer, Serves, VariantFailed, Version
from sagelet.supervision.foreground import UNHURRIED_S
from sagelet.supervision.watching import Watcher

log = logging.getLogger(__name__)


class RunningEndpoint:
    """Changes of one endpoint happen one after the other; invocations never wait for them."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        deployer: Deployer,
        ledger: Ledger,
        notes: HostingNotes,
        settings: HostingSettings,
        watcher: Watcher,
        folder: Path,
        account_id: str,
    ) -> None:
        """Serve nothing yet. `folder` is the endpoint's own, removed with it."""
        self._endpoint = endpoint
        self._deployer = deployer
        self._ledger = ledger
        self._notes = notes
        self._settings = settings
        self._watcher = watcher
        self._folder = folder
        self._account_id = account_id
        self._version: Version | None = None
        self._generations = Generations(folder)
        self._changing = asyncio.Lock()
        self._watches: list[FolderWatch] = []
        self._background: set[asyncio.Task[None]] = set()

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation.

        Raises (here, or as the result's exception):
            EndpointNotInService: nothing serves yet.
            VariantNotFound: the target variant is not one of the endpoint's.
            QueueFull: too many requests wait.
        """
        return self._pool_for(invocation).submit(invocation)

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        Raises:
            EndpointNotInService, VariantNotFound, QueueFull: as `submit`.
        """
        return await self._pool_for(invocation).stream(invocation)

    def _pool_for(self, invocation: Invocation) -> Serves:
        return (self._version or self._in_service()).pool_for(invocation)

    def _in_service(self) -> Version:
        if self._version is None:
            raise EndpointNotInService(name=self._endpoint.name, account_id=self._account_id)
        return self._version

    def facts(self) -> EndpointFacts:
        """Return what is known of what serves.

        Raises:
            EndpointNotInService: nothing does yet.
        """
        version = self._in_service()
        return EndpointFacts(self._endpoint.name, version.facts(), version.port)

    def model_folder(self, variant: str | None) -> Path:
        """Return where the model lies that a variant serves, the first unless one is named.

        Raises:
            EndpointNotInService: nothing serves yet, or not such a variant, or several models.
        """
        served = self._in_service().deployed
        found = served.get(variant) if variant else next(iter(served.values()), None)
        if found is None:
            raise EndpointNotInService(name=self._endpoint.name, account_id=self._account_id)
        return found.files.root

    def measured(self) -> Iterator[Measured]:
        """Yield what is measured of each variant that serves."""
        if self._version is not None:
            yield from self._version.measured()

    def parkable(self) -> Iterator[Parkable]:
        """Yield the pools that serve, and until when they may be idle."""
        for each in self._version.deployed.values() if self._version is not None else ():
            told = partial(self._on_note, each.variant.name, "parked: the next request wakes it")
            yield Parkable(each.pool, each.container.park_after_s, told)

    async def converge(self, endpoint: Endpoint) -> None:
        """Serve what the endpoint wants; failing that, what it served; and record which."""
        async with self._changing:
            if self._version is not None and self._version.takes(endpoint.wanted):
                self._endpoint = endpoint
                await asyncio.to_thread(self._ledger.in_service, endpoint, endpoint.wanted)
                return
            await to_the_end(self._stop_watching())
            self._endpoint = endpoint
            if self._version is None:
                await self._generations.remember()
                left = self._folder / VERSIONS
                await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
            try:
                await self._serve(endpoint.wanted)
            except VariantFailed as failed:
                await self._fall_back(endpoint, failed)
            else:
                await asyncio.to_thread(self._ledger.in_service, endpoint, endpoint.wanted)

    async def delete(self, endpoint: Endpoint) -> None:
        """Answer what has come in, end the workers, and forget the endpoint."""
        async with self._changing:
            await self._shut()
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            await asyncio.to_thread(self._ledger.removed, endpoint)

    async def close(self) -> None:
        """Answer what has come in and end the workers; the record stays as it is."""
        async with self._changing:
            await self._shut()

    async def _serve(self, serving: Serving) -> None:
        """Bring a version up beside the old one, and put it in the old one's place.

        Raises:
            VariantFailed: it did not come up; the old one serves on.
        """
        generation = self._generations.next()
        version = await self._deployer.bring_up(
            self._endpoint, serving, generation, self._on_problem
        )
        # Before anything else is waited for: `_shut` ends the version that is here.
        old, self._version = self._version, version
        self._watch(version)
        if old is not None:
            self._begin(old.drain(self._settings.drain_s))
        await self._generations.keep(generation)

    async def _fall_back(self, endpoint: Endpoint, failed: VariantFailed) -> None:
        """Serve what was served before an update, if anything was, and record why."""
        reason = self._note_failure(failed)
        was = endpoint.serving
        if self._version is not None:
            self._watch(self._version)
        elif was is not None and was != endpoint.wanted:
            with suppress(VariantFailed):  # the reason that counts is the update's
                await self._serve(was)
        if self._version is not None:
            serving = self._version.serving
            await asyncio.to_thread(self._ledger.in_service, endpoint, serving, reason)
            return
        await asyncio.to_thread(self._ledger.failed, endpoint, reason)
        if failed.watched is not None:
            self._watch_folder(failed.watched, self._repair, "")

    async def _repair(self, changes: Changes, newer: asyncio.Event) -> Outcome:
        """Try again what failed, now that its folder was edited."""
        del changes, newer  # everything is read anew, and a newer save simply comes next
        endpoint = self._endpoint
        broken = list(self._watches)
        try:
            await self._serve(endpoint.wanted)
        except VariantFailed as failed:
            reason = self._note_failure(failed)
            await asyncio.to_thread(self._ledger.failed, endpoint, reason)
            return Outcome.REFUSED
        await asyncio.to_thread(self._ledger.in_service, endpoint, endpoint.wanted)
        self._notes.add(endpoint.name, "", "in service after an edit")
        for watch in broken:
            if watch in self._watches:  # else it is being closed
                self._watches.remove(watch)
                self._begin(watch.close())  # not here: this very task is one of theirs
        return Outcome.SERVED

    def _note_failure(self, failed: VariantFailed) -> str:
        reason = failures.failure_reason(failed.variant, failed.error)
        self._notes.add(self._endpoint.name, failed.variant, reason, is_problem=True)
        return reason

    def _watch(self, version: Version) -> None:
        for deployed in version.deployed.values():
            if deployed.prints is not None:
                reloading = Reloading(deployed, self._surroundings(deployed))
                self._watch_folder(deployed.prints, reloading.attempt, deployed.variant.name)

    def _watch_folder(self, prints: Fingerprints, attempt: Attempt, variant: str) -> None:
        problem = partial(self._on_problem, variant)
        self._watches.append(FolderWatch(prints, attempt, problem, self._watcher))

    async def _stop_watching(self) -> None:
        while self._watches:  # an attempt may bring others before it is broken off
            watches, self._watches = self._watches, []
            await asyncio.gather(*(watch.close() for watch in watches))

    def _surroundings(self, deployed: Deployed) -> Surroundings:
        name = deployed.variant.name
        return Surroundings(
            generations=self._generations,
            retire=lambda pool: self._begin(pool.drain(self._settings.drain_s)),
            on_note=partial(self._on_note, name),
            on_problem=partial(self._on_problem, name),
            busy_s=UNHURRIED_S if deployed.container.attach else self._settings.busy_s,
        )

    def _on_note(self, variant: str, text: str) -> None:
        self._notes.add(self._endpoint.name, variant, text)

    def _on_problem(self, variant: str, text: str) -> None:
        self._notes.add(self._endpoint.name, variant, text, is_problem=True)

    async def _shut(self) -> None:
        await self._stop_watching()
        version, self._version = self._version, None
        if version is not None:
            await version.drain(self._settings.drain_s)
        await asyncio.gather(*self._background, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("endpoint %s", self._endpoint.name, exc_info=task.exception())
