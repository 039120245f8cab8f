"""A container that is reached at a port of its own, as SageMaker reaches one.

`hosting` says which ports are wanted and answers; the HTTP around that is the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that a container has loaded, under the name and the path that it knows it by."""

    name: str
    url: str


class ManyModels(Protocol):
    """The models of a container into which they are loaded, and unloaded, by requests."""

    def models(self) -> tuple[LoadedModel, ...]:
        """Return what is loaded, by name."""
        ...

    async def load(self, name: str, url: str) -> None:
        """Load a model.

        Raises:
            ModelAlreadyLoaded: the name is taken.
            ModelDataMissing: nothing is at the URL.
            NoRoomForModel: as many are loaded as may be.
            WorkerStartFailed: it does not load.
        """
        ...

    async def unload(self, name: str) -> None:
        """Unload a model.

        Raises:
            ModelNotLoaded: there is none of that name.
        """
        ...


class ServedContainer(Protocol):
    """One variant of an endpoint, on the daemon's event loop."""

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        ...

    @property
    def is_strict(self) -> bool:
        """Whether it is to be as the real container is, defects included."""
        ...

    @property
    def max_request_bytes(self) -> int | None:
        """The largest body that it takes; None for no limit of its own."""
        ...

    @property
    def workers(self) -> int:
        """How many requests it answers at a time."""
        ...

    @property
    def why_unhealthy(self) -> str:
        """What keeps it from answering now; nothing when every worker has loaded."""
        ...

    @property
    def many(self) -> ManyModels | None:
        """Its models, if it is one of several; None if it was started with its only one."""
        ...

    async def answer(self, invocation: Invocation) -> Answer | StreamedAnswer:
        """Run one request; `target_model` is the name of one of its models, if it has several.

        Raises:
            QueueFull: too many requests wait; this one was not started.
            ModelNotLoaded: it has no model of that name.
        """
        ...


class OpenPort(Protocol):
    """A port that answers."""

    def refuse(self) -> None:
        """Take no more connections; the port is free."""
        ...

    async def close(self, within_s: float) -> None:
        """Let requests that have come in be answered, then hang up."""
        ...


class ContainerPorts(Protocol):
    """Opens ports on loopback, on the daemon's event loop."""

    async def open(self, port: int, container: Callable[[], ServedContainer]) -> OpenPort:
        """Answer at a port from now on, for whichever container is there when a request comes.

        Raises:
            PortTaken: somebody else listens there.
            InvalidRequest: the system does not let us have it.
        """
        ...
