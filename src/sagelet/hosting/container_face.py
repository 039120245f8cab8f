"""Containers at ports of their own: which version of a variant answers at which port.

    port 8080 ── variant of an endpoint ── hold of version 3   up: it answers
                                        └─ hold of version 4   its workers are loading

Each version holds the port that its variant's model asks for, from before its workers start until
it has been drained. The newest version that is up answers; the last one to let go closes the port.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, TypeAlias

from sagelet.domain.container import ContainerPorts, ManyModels, OpenPort, ServedContainer
from sagelet.domain.hosting import Endpoint
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import PortTaken
from sagelet.hosting.failures import server_error
from sagelet.hosting.pool import Pool
from sagelet.hosting.settings import STRICT, Container

_LOADING = "its workers are loading the model"
_FAILED = "its model did not load"

Owner: TypeAlias = tuple[str, str]


class HasPool(Protocol):
    """Where a pool is; a reload puts another one there."""

    pool: Pool


class ContainerSettings:
    """The part of a served container that its model's Environment says."""

    def __init__(self, endpoint: str, container: Container) -> None:
        """Take what was read of the Environment."""
        self.endpoint = endpoint
        self.is_strict = container.contract == STRICT
        self.max_request_bytes = container.max_request_bytes
        self.workers = 1 if container.attach else container.workers


class OneModel(ContainerSettings):
    """A container of one model, as its port sees it."""

    many: ManyModels | None = None

    def __init__(self, endpoint: str, container: Container, deployed: HasPool) -> None:
        """Answer with whatever pool serves."""
        super().__init__(endpoint, container)
        self._deployed = deployed

    @property
    def why_unhealthy(self) -> str:
        """What keeps it from answering; a parked one answers, for it wakes."""
        pool = self._deployed.pool
        loaded = len(pool.workers)
        if loaded >= self.workers or pool.is_parked:
            return ""
        return f"{loaded} of {self.workers} workers have loaded"

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one request."""
        return await self._deployed.pool.stream(invocation)


class Hold:
    """A version's claim to a port."""

    def __init__(self, holds: _Holds) -> None:
        """Be one of the claims to it."""
        self._holds = holds
        self.port = holds.port
        self.served: ServedContainer | None = None

    def up(self, served: ServedContainer) -> None:
        """Answer at the port from now on."""
        self.served = served
        self._holds.came_up.set()

    async def release(self, within_s: float) -> None:
        """Let go; the last one closes the port once what came in has been answered."""
        await self._holds.remove(self, within_s)


class ContainerFaces:
    """The ports that are open, by number."""

    def __init__(self, ports: ContainerPorts) -> None:
        """Open ports with these."""
        self._ports = ports
        self._open: dict[int, _Holds] = {}
        self._changing = asyncio.Lock()

    async def hold(self, endpoint: Endpoint, variant: str, container: Container) -> Hold | None:
        """Hold the port that a container asks for; None if it asks for none.

        Raises:
            PortTaken: somebody else has it, perhaps another endpoint.
            InvalidRequest: the system does not let us have it.
        """
        if container.port is None:
            return None
        owner = (endpoint.ulid, variant)
        async with self._changing:
            holds = self._open.get(container.port)
            if holds is None:
                holds = _Holds(self, container.port, owner, endpoint.name, container)
                holds.opened = await self._ports.open(container.port, holds.current)
                self._open[container.port] = holds
            if holds.owner != owner:
                raise PortTaken(port=container.port, owner=f"endpoint {holds.endpoint}")
            return holds.add()

    async def close(self, holds: _Holds, within_s: float) -> None:
        """Close a port that nobody holds any more."""
        async with self._changing:
            if holds.is_held or self._open.get(holds.port) is not holds:
                return
            del self._open[holds.port]
            if holds.opened is not None:
                holds.opened.refuse()
        if holds.opened is not None:
            await holds.opened.close(within_s)


class _Holds:
    """One port, and the versions that hold it, the newest last."""

    def __init__(
        self, faces: ContainerFaces, port: int, owner: Owner, endpoint: str, container: Container
    ) -> None:
        self.port = port
        self.owner = owner
        self.endpoint = endpoint
        self.opened: OpenPort | None = None
        self.came_up = asyncio.Event()
        self._faces = faces
        self._holds: list[Hold] = []
        self._waiting = _NotYet(self, endpoint, container)

    @property
    def is_held(self) -> bool:
        return bool(self._holds)

    @property
    def newest(self) -> ServedContainer | None:
        """What is up; the newest if several are."""
        up = [hold.served for hold in self._holds if hold.served is not None]
        return up[-1] if up else None

    def current(self) -> ServedContainer:
        return self.newest or self._waiting

    def add(self) -> Hold:
        hold = Hold(self)
        self._holds.append(hold)
        return hold

    async def remove(self, hold: Hold, within_s: float) -> None:
        if hold in self._holds:
            self._holds.remove(hold)
        if not self._holds:
            self.came_up.set()  # nothing will: whoever waits is told so
            await self._faces.close(self, within_s)


class _NotYet(ContainerSettings):
    """A container none of whose versions is up; requests wait for one."""

    why_unhealthy = _LOADING
    many: ManyModels | None = None

    def __init__(self, holds: _Holds, endpoint: str, container: Container) -> None:
        super().__init__(endpoint, container)
        self._holds = holds
        self._timeout_s = container.timeout_s

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._holds.came_up.wait()
        except TimeoutError:
            return _unavailable(invocation, _LOADING)
        served = self._holds.newest
        if served is None:
            return _unavailable(invocation, _FAILED)
        return await served.answer(invocation)


def _unavailable(invocation: Invocation, why: str) -> Answer:
    body = server_error(
        503, f"No worker is available to serve request: {why}", "ServiceUnavailableException"
    )
    return Answer(503, body, "application/json", invocation.target_variant or "", 0)
