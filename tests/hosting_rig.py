"""A host with its store, logs and buckets, in this process; workers are whatever launches them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.domain.clock import SystemClock
from sagelet.domain.home import Home
from sagelet.domain.hosting import Endpoint, EndpointStatus, Model, Serving, Variant
from sagelet.domain.invocation import Answer, Invocation
from sagelet.hosting.call_history import KeptCalls
from sagelet.hosting.host import HostingSettings, LocalEndpointHost
from sagelet.hosting.worker import Interpreters
from sagelet.journal.endpoint_metrics import EndpointMetrics
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from tests.builders import ACCOUNT, a_model, an_endpoint, an_endpoint_config
from tests.fakes import ScriptedPorts

DEADLINE_S = 30.0
GROUP = "/aws/sagemaker/Endpoints/"


class Rig:
    """A host under test. `name` stands for the endpoint that a test is about."""

    def __init__(
        self,
        root: Path,
        launchers: Interpreters,
        settings: HostingSettings | None = None,
        store: Store | None = None,
    ) -> None:
        self.home = Home(root)
        self.ports = ScriptedPorts()
        self.buckets = Buckets(self.home.buckets)
        self.logs = LogStreams(self.home.logs)
        self.store = store or Store(None, ACCOUNT)
        self.history = KeptCalls(self.store, self.home.history)
        self.metrics = EndpointMetrics()
        self.host = LocalEndpointHost(
            store=self.store,
            logs=self.logs,
            artifacts=Artifacts(self.buckets),
            launchers=launchers,
            ports=self.ports,
            home=self.home,
            account=ACCOUNT,
            clock=SystemClock(),
            history=self.history,
            metrics=self.metrics,
            settings=settings or HostingSettings(drain_s=5, stop_s=2),
        )

    def create(
        self,
        data_url: str | None,
        *,
        name: str = "sentiment",
        environment: dict[str, str] | None = None,
        variants: tuple[Variant, ...] | None = None,
    ) -> Endpoint:
        """Record an endpoint as Creating and tell the host."""
        serving = a_serving_of(data_url, environment, variants)
        endpoint = replace(
            an_endpoint(name, status=EndpointStatus.CREATING, wanted=serving), ulid=f"ULID-{name}"
        )
        with self.store.writing() as tx:
            tx.endpoints.add(endpoint)
        self.host.converge(endpoint)
        return endpoint

    def update(
        self,
        data_url: str | None,
        *,
        name: str = "sentiment",
        environment: dict[str, str] | None = None,
    ) -> None:
        """Record an endpoint as Updating and tell the host."""
        serving = a_serving_of(data_url, environment, None, config="sentiment-2")
        with self.store.writing() as tx:
            found = tx.endpoints.get(name)
            serving = replace(serving, deployment=found.wanted.deployment + 1)
            endpoint = replace(found, wanted=serving).moved_to(
                EndpointStatus.UPDATING, at=SystemClock().now()
            )
            tx.endpoints.put(endpoint)
        self.host.converge(endpoint)

    def reweigh(self, *variants: Variant, name: str = "sentiment") -> None:
        """Record other weights of an endpoint's variants and tell the host."""
        with self.store.writing() as tx:
            found = tx.endpoints.get(name)
            endpoint = replace(found, wanted=found.wanted.with_variants(variants)).moved_to(
                EndpointStatus.UPDATING, at=SystemClock().now()
            )
            tx.endpoints.put(endpoint)
        self.host.converge(endpoint)

    def delete(self, name: str = "sentiment") -> None:
        """Record an endpoint as Deleting and tell the host."""
        with self.store.writing() as tx:
            endpoint = tx.endpoints.get(name).moved_to(
                EndpointStatus.DELETING, at=SystemClock().now()
            )
            tx.endpoints.put(endpoint)
        self.host.delete(endpoint)

    def find(self, name: str = "sentiment") -> Endpoint | None:
        with self.store.reading() as snapshot:
            return snapshot.endpoints.find(name)

    def get(self, name: str = "sentiment") -> Endpoint:
        endpoint = self.find(name)
        assert endpoint is not None
        return endpoint

    async def settled(self, name: str = "sentiment") -> Endpoint:
        """Wait until an endpoint is InService or Failed."""
        await until(lambda: self.get(name).status.is_settled)
        return self.get(name)

    async def in_service(self, name: str = "sentiment") -> Endpoint:
        """Wait until an endpoint is InService."""
        endpoint = await self.settled(name)
        assert endpoint.status is EndpointStatus.IN_SERVICE, endpoint.failure_reason
        return endpoint

    async def ask(
        self,
        body: bytes = b"hello",
        *,
        name: str = "sentiment",
        content_type: str | None = "text/plain",
        target_variant: str | None = None,
    ) -> Answer:
        return await self.host.submit(
            Invocation(name, body, content_type=content_type, target_variant=target_variant)
        )

    async def answers(self, body: bytes, *, to: bytes = b"hello") -> Answer:
        """Ask until the answer has this body."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            answer = await self.ask(to)
            if answer.body == body:
                return answer
            assert time.monotonic() < deadline, (answer, [n.text for n in self.host.notes.after()])
            await asyncio.sleep(0.005)

    async def noted(self, text: str) -> str:
        """Wait for a note that contains a text."""

        def found() -> str | None:
            return next((n.text for n in self.host.notes.after() if text in n.text), None)

        await until(lambda: found() is not None)
        return found() or ""

    def log(self, name: str = "sentiment") -> list[str]:
        """Return the lines of an endpoint's log streams."""
        group = f"{GROUP}{name}"
        if not self.logs.has_group(group):
            return []
        return [
            event.message
            for stream in self.logs.streams(group)
            for event in self.logs.read(group, stream, from_head=True).events
        ]

    async def logged(self, text: str) -> None:
        """Wait for a line of the log that contains a text."""
        await until(lambda: any(text in line for line in self.log()))


def a_serving_of(
    data_url: str | None,
    environment: dict[str, str] | None = None,
    variants: tuple[Variant, ...] | None = None,
    config: str = "sentiment-1",
) -> Serving:
    """Return what an endpoint of this model serves; each variant has the same model."""
    model: Model = a_model(data_url=data_url, environment=environment)
    variants = variants or (Variant("AllTraffic", model.name, "local"),)
    return Serving(an_endpoint_config(config, variants=variants), {model.name: model})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.005)
