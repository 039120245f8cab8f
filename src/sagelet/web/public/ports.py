"""What the public listener asks of the server below it: a further socket on the daemon's loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

AsgiApp: TypeAlias = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


class OpenPort(Protocol):
    """A port that answers."""

    @property
    def number(self) -> int:
        """Its number, which the system has chosen where 0 was asked for."""
        ...

    async def close(self, within_s: float) -> None:
        """Let requests that have come in be answered, then hang up."""
        ...


class PublicPorts(Protocol):
    """Opens ports for others than the owner."""

    async def open(
        self, host: str, port: int, app: AsgiApp, *, is_proxy: Callable[[str], bool]
    ) -> OpenPort:
        """Answer with an application at an address of this machine.

        `is_proxy` tells the addresses that many clients may come from.

        Raises:
            PortTaken: somebody else listens there.
            InvalidRequest: the system does not let us have it.
        """
        ...
