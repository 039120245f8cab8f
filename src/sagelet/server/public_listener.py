"""The public listener's socket: a further one of the daemon, on its own loop, for strangers.

It has the daemon's deadlines for heads and bodies, smaller bounds, and two of its own: so many
connections at a time, in all and from one address, and so long for each of them.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

from sagelet.errors import InvalidRequest, PortTaken
from sagelet.server.asgi import Send
from sagelet.server.bodies import Receive
from sagelet.server.ports import Port
from sagelet.server.protocol import BoundedHttpProtocol
from sagelet.server.web_door import BoundedBody
from sagelet.web.public.ports import AsgiApp

MAX_BODY_BYTES = 6 * 2**20
CONNECTIONS = 256
CONNECTIONS_EACH = 32
KEEP_ALIVE_S = 15
LIFE_S = 300.0
LAST_WORDS_S = 90.0
"""What has been asked by the end of a connection's life is answered within this."""

_BACKLOG = 128
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class PublicSockets:
    """Opens sockets for strangers. It is the web app's `public.ports.PublicPorts`."""

    def __init__(self, *, life_s: float = LIFE_S, last_words_s: float = LAST_WORDS_S) -> None:
        """Begin with none; a connection lives for `life_s`, and so much longer to be answered."""
        self._life = life_s, last_words_s
        self._open: set[PublicPort] = set()

    async def open(
        self, host: str, port: int, app: AsgiApp, *, is_proxy: Callable[[str], bool]
    ) -> PublicPort:
        """Answer with an application at an address of this machine.

        Raises:
            PortTaken: somebody else listens there.
            InvalidRequest: the system does not let us have it.
        """
        listening = _bound(host, port)
        opened = PublicPort(app, Guests(is_proxy), self._life, self._open.discard)
        await opened.start([listening])
        self._open.add(opened)
        return opened

    async def close(self, within_s: float) -> None:
        """Close those that are open: the daemon is stopping."""
        for each in list(self._open):
            await each.close(within_s)


class Guests:
    """Counts connections; who comes by a proxy is one of many there."""

    def __init__(self, is_proxy: Callable[[str], bool]) -> None:
        """Begin with none."""
        self._is_proxy = is_proxy
        self._each: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count a connection; False where there are too many."""
        is_one_too_many = self._each[address] >= CONNECTIONS_EACH and not self._is_proxy(address)
        if is_one_too_many or self._each.total() >= CONNECTIONS:
            return False
        self._each[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection that was admitted no longer."""
        self._each[address] -= 1
        if not self._each[address]:
            del self._each[address]


class GuestProtocol(BoundedHttpProtocol):
    """One connection of a stranger, which ends in any case."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  uvicorn's own
        guests: Guests,
        life: tuple[float, float],
        **kwargs: Any,  # noqa: ANN401  uvicorn's own
    ) -> None:
        """Start before anybody has come."""
        super().__init__(*args, **kwargs)
        self._guests = guests
        self._life_s, self._last_words_s = life
        self._admitted = ""
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let somebody in, unless there are too many."""
        super().connection_made(transport)
        address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._guests.admit(address):
            transport.write(_FULL)
            transport.close()
            return
        self._admitted = address
        self._end = self.loop.call_later(self._life_s, self._last_words)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for somebody else."""
        if self._admitted:
            self._guests.leave(self._admitted)
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _last_words(self) -> None:
        # Whoever takes an answer more slowly than this is let go, with what is left of it.
        self._end = self.loop.call_later(self._last_words_s, self.transport.abort)
        self.shutdown()


class PublicPort(Port):
    """One port that answers strangers. `on_close` is told when it no longer does."""

    def __init__(
        self,
        app: AsgiApp,
        guests: Guests,
        life: tuple[float, float],
        on_close: Callable[[PublicPort], None],
    ) -> None:
        """Prepare to serve an application."""
        self._app = app
        self._on_close = on_close
        protocol = partial(GuestProtocol, guests=guests, life=life)
        super().__init__(self._bounded, keep_alive_s=KEEP_ALIVE_S, protocol=protocol)

    async def close(self, within_s: float) -> None:
        """Let requests that have come in be answered, then hang up."""
        self._on_close(self)
        await super().close(within_s)

    async def _bounded(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = BoundedBody(receive, MAX_BODY_BYTES)
            await self._app(scope, body.receive, send)


def _bound(host: str, port: int) -> socket.socket:
    is_v6 = ipaddress.ip_address(host).version == 6
    bound = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_v6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
        bound.settimeout(0)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port=port) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidRequest(message=f"{host} is no address of this machine") from error
        raise InvalidRequest(
            message=f"{host} port {port} cannot be opened: {error.strerror}"
        ) from error
    return bound
