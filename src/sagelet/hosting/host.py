"""Serves endpoints on this machine: the implementation of `domain.seams.EndpointHost`."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FILE_SCHEME
from sagelet.domain.account import Account
from sagelet.domain.clock import Clock
from sagelet.domain.container import ContainerPorts
from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.domain.home import Home
from sagelet.domain.hosting import Endpoint, EndpointStatus
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import EndpointNotInService
from sagelet.hosting.call_history import KeptCalls
from sagelet.hosting.container_face import ContainerFaces
from sagelet.hosting.ledger import Ledger
from sagelet.hosting.measuring import Measured, Measuring
from sagelet.hosting.notes import HostingNotes
from sagelet.hosting.observing import Observing
from sagelet.hosting.parking import Parkable, Parking
from sagelet.hosting.recording import CallRecorder
from sagelet.hosting.running import RunningEndpoint
from sagelet.hosting.settings import HostingSettings
from sagelet.hosting.starting import PoolStarter
from sagelet.hosting.traces import Traces
from sagelet.hosting.versions import Deployer
from sagelet.hosting.vitals import VitalSigns
from sagelet.hosting.worker import Interpreters
from sagelet.journal.endpoint_metrics import EndpointMetrics
from sagelet.journal.streams import LogStreams
from sagelet.store.changes import Changes
from sagelet.store.store import Store
from sagelet.supervision.requirements import RequirementsCache
from sagelet.supervision.watching import Watcher

__all__ = ["HostingSettings", "LocalEndpointHost"]

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Endpoint], Awaitable[None]]

_BROUGHT_BACK_AT_ONCE = 4
_COMING_UP_AT_ONCE = 16
"""Every start of a worker takes some descriptors, and all of them take turns at the cores."""


class LocalEndpointHost:
    """Endpoints by name, each with its own workers. `notes` tells what happened to them."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStreams,
        artifacts: Artifacts,
        launchers: Interpreters,
        ports: ContainerPorts,
        home: Home,
        account: Account,
        clock: Clock,
        history: KeptCalls,
        metrics: EndpointMetrics,
        settings: HostingSettings | None = None,
    ) -> None:
        """Take the parts; nothing serves before `start`."""
        self.notes = HostingNotes(clock)
        self._settings = settings or HostingSettings()
        self._ledger = Ledger(store, clock)
        self._traces = Traces()
        self._history = history
        self._recorder = CallRecorder(history, clock, partial(_tell_of_calls, store.changes))
        self._metrics = metrics
        self._vitals = VitalSigns()
        self._measuring = Measuring(metrics, self._vitals, self._measured)
        starter = PoolStarter(
            artifacts=artifacts,
            downloads=home.downloads,
            launchers=launchers,
            account=account,
            requirements=RequirementsCache(home.packages, self._settings.environ),
            settings=self._settings,
            observing=Observing(self._traces, self._recorder, metrics),
        )
        self._deployer = Deployer(
            starter=starter,
            faces=ContainerFaces(ports),
            logs=logs,
            home=home,
            settings=self._settings,
        )
        self._watcher = Watcher(self._settings.environ, self._on_problem)
        self._parking = Parking(self._parkable, live_workers=self._settings.live_workers)
        self._home = home
        self._account = account
        self._running: dict[str, RunningEndpoint] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._deletions: set[asyncio.Task[None]] = set()  # what they end is in no other hands
        self._some_at_once = asyncio.Semaphore(_COMING_UP_AT_ONCE)
        # None before start and after close: what is recorded then is found by the next start.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Bring back, in the background, what the store says serves or was to serve."""
        self._loop = asyncio.get_running_loop()
        self._parking.start()
        self._measuring.start()
        endpoints = await asyncio.to_thread(self._ledger.all)
        await asyncio.to_thread(self._remove_strangers, endpoints)
        await asyncio.to_thread(self._history.tidy)
        few_at_once = asyncio.Semaphore(_BROUGHT_BACK_AT_ONCE)
        for endpoint in endpoints:
            if endpoint.status is EndpointStatus.DELETING:
                self._delete(endpoint)
            elif endpoint.status is not EndpointStatus.FAILED or _is_from_a_folder(endpoint):
                returning = await asyncio.to_thread(self._ledger.coming_back, endpoint)
                self._converge(returning, few_at_once)

    async def close(self) -> None:
        """Let requests that have come in be answered, and end all workers."""
        self._loop = None
        await self._parking.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        running, self._running = self._running, {}
        await asyncio.gather(*(each.close() for each in running.values()), *self._deletions)
        await self._measuring.close()
        await self._recorder.flush()
        await self._watcher.close()

    def converge(self, endpoint: Endpoint) -> None:
        """Bring up `endpoint.wanted` (recorded as Creating or Updating), or keep the old."""
        self._call(self._converge, endpoint)

    def delete(self, endpoint: Endpoint) -> None:
        """Drain and stop what serves an endpoint recorded as Deleting, then remove its record."""
        self._call(self._delete, endpoint)

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        """Begin one invocation, on the daemon's event loop.

        Cancelling the result withdraws a request that has not been started.

        Raises (here, or as the result's exception):
            EndpointNotInService: no such endpoint, or it does not serve (yet).
            VariantNotFound: the target variant is not one of the endpoint's.
            QueueFull: too many requests wait; this one was not started.
        """
        return self._serving(invocation.endpoint).submit(invocation)

    async def stream(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one invocation whose answer is passed on in parts.

        Raises:
            EndpointNotInService, VariantNotFound, QueueFull: as `submit`.
        """
        return await self._serving(invocation.endpoint).stream(invocation)

    async def lines_of(self, trace: str, timeout_s: float = 0.3) -> tuple[str, ...]:
        """Return what the worker printed while it answered the invocation of this trace, once.

        In order, and at most 1,000 lines or 256 kB; a last line then says what is left out.
        """
        return await self._traces.lines_of(trace, timeout_s)

    def model_folder(self, name: str, variant: str | None = None) -> Path:
        """Return where the model lies that a variant serves, the first unless one is named.

        Raises:
            EndpointNotInService: no such endpoint or variant, or it does not serve (yet), or not
                one model but several.
        """
        return self._serving(name).model_folder(variant)

    def facts(self, name: str) -> EndpointFacts:
        """Return what is known of an endpoint that serves.

        Raises:
            EndpointNotInService: no such endpoint, or it does not serve (yet).
        """
        facts = self._serving(name).facts()
        return replace(facts, variants=tuple(self._with_vitals(each) for each in facts.variants))

    def _with_vitals(self, facts: VariantFacts) -> VariantFacts:
        """Return what is known of a variant, and how its workers are."""
        workers = []
        for worker in facts.workers:
            vitals = self._vitals.of(worker.pid)
            workers.append(
                worker
                if vitals is None
                else replace(
                    worker, cpu_percent=vitals.cpu_percent, memory_bytes=vitals.memory_bytes
                )
            )
        return replace(facts, workers=tuple(workers))

    def _serving(self, name: str) -> RunningEndpoint:
        running = self._running.get(name)
        if running is None:
            raise EndpointNotInService(name=name, account_id=self._account.id)
        return running

    def _measured(self) -> Iterator[Measured]:
        return (each for running in self._running.values() for each in running.measured())

    def _parkable(self) -> Iterator[Parkable]:
        return (each for running in self._running.values() for each in running.parkable())

    def _call(self, function: Callable[[Endpoint], None], endpoint: Endpoint) -> None:
        """Do something on the event loop, soon; callers may be in any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function, endpoint)

    def _converge(self, endpoint: Endpoint, few: asyncio.Semaphore | None = None) -> None:
        running = self._running.get(endpoint.name) or self._run(endpoint)
        self._running[endpoint.name] = running
        work = partial(self._bring_up, running)
        self._begin(self._tasks, endpoint, work, few or self._some_at_once)

    def _delete(self, endpoint: Endpoint) -> None:
        running = self._running.pop(endpoint.name, None) or self._run(endpoint)
        self._begin(self._deletions, endpoint, partial(self._end, running))

    def _run(self, endpoint: Endpoint) -> RunningEndpoint:
        return RunningEndpoint(
            endpoint,
            deployer=self._deployer,
            ledger=self._ledger,
            notes=self.notes,
            settings=self._settings,
            watcher=self._watcher,
            folder=self._home.endpoint(endpoint.ulid),
            account_id=self._account.id,
        )

    def _begin(
        self,
        tasks: set[asyncio.Task[None]],
        endpoint: Endpoint,
        work: Work,
        few: asyncio.Semaphore | None = None,
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(endpoint, work, few))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _guarded(self, endpoint: Endpoint, work: Work, few: asyncio.Semaphore | None) -> None:
        """Do a piece of work on an endpoint; if it goes wrong in a way of our own, say so."""
        try:
            async with few or nullcontext():
                await work(endpoint)
        except Exception as error:
            log.exception("endpoint %s", endpoint.name)
            reason = f"Internal failure of the host: {error!r}"
            await asyncio.to_thread(self._ledger.failed, endpoint, reason)

    async def _bring_up(self, running: RunningEndpoint, endpoint: Endpoint) -> None:
        """Serve what an endpoint wants, and go on with its metrics."""
        folder = self._home.endpoint(endpoint.ulid)
        await asyncio.to_thread(self._metrics.open, endpoint.name, folder)
        await running.converge(endpoint)

    async def _end(self, running: RunningEndpoint, endpoint: Endpoint) -> None:
        """Delete an endpoint, and forget what it did."""
        self._metrics.forget(endpoint.name)
        await running.delete(endpoint)
        await asyncio.to_thread(self._history.sweep)

    def _on_problem(self, text: str) -> None:
        """Tell what concerns every endpoint."""
        log.warning("%s", text)
        self.notes.add("", "", text, is_problem=True)

    def _remove_strangers(self, endpoints: Iterable[Endpoint]) -> None:
        """Remove the folders of endpoints that there are no more."""
        known = {endpoint.ulid for endpoint in endpoints}
        for folder in self._home.endpoint("any").parent.glob("*"):
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)


def _tell_of_calls(changes: Changes, endpoint: str) -> None:
    """Tell whoever follows an endpoint's calls that there are new ones.

    Not under the endpoint's ARN: whoever waits for that waits for its status.
    """
    changes.publish(f"calls/{endpoint}")


def _is_from_a_folder(endpoint: Endpoint) -> bool:
    """Whether an edit may repair it."""
    urls = (model.data_url or "" for model in endpoint.wanted.models.values())
    return any(url.startswith(FILE_SCHEME) and not url.endswith(".tar.gz") for url in urls)
