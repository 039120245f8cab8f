"""A further port of the daemon: an application of its own, on sockets of the daemon's loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sagelet.server.protocol import BoundedHttpProtocol

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Port:
    """One port that answers. `protocol` makes what stands behind each of its connections."""

    def __init__(
        self,
        app: Application,
        *,
        keep_alive_s: int,
        protocol: Callable[..., BoundedHttpProtocol] = BoundedHttpProtocol,
    ) -> None:
        """Prepare to serve an application."""
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._make = protocol
        self._config = uvicorn.Config(
            app,
            interface="asgi3",  # a bound method would be taken for ASGI 2
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=keep_alive_s,
        )
        self._config.load()

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        for each in sockets:
            self._servers.append(await loop.create_server(self._protocol, sock=each))

    @property
    def number(self) -> int:
        """The port's number, which the system has chosen where 0 was asked for."""
        return int(self._servers[0].sockets[0].getsockname()[1])

    def refuse(self) -> None:
        """Accept no more connections."""
        for server in self._servers:
            server.close()

    async def close(self, within_s: float) -> None:
        """Let requests that have come in be answered, then hang up."""
        self.refuse()
        connections: list[Any] = list(self._state.connections)
        for connection in connections:
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=within_s)
        for connection in connections:
            connection.transport.close()

    def _protocol(self) -> BoundedHttpProtocol:
        return self._make(config=self._config, server_state=self._state, app_state={})
