"""The loopback ports of containers: further sockets of the daemon, on its own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from sagelet.domain.container import ServedContainer
from sagelet.errors import InvalidRequest
from sagelet.server.container_face import ContainerFace
from sagelet.server.gate import Gate
from sagelet.server.listening import listen
from sagelet.server.protocol import BoundedHttpProtocol

KEEP_ALIVE_S = 75


class LoopbackPorts:
    """Opens ports for containers. It is the daemon's `domain.container.ContainerPorts`."""

    def __init__(self, *, gate: Gate, max_body_bytes: int) -> None:
        """Let in through each port what the gate lets in through the daemon's own."""
        self._gate = gate
        self._max_body_bytes = max_body_bytes

    async def open(self, port: int, container: Callable[[], ServedContainer]) -> LoopbackPort:
        """Answer for a container at a port, on 127.0.0.1 and ::1.

        Raises:
            PortTaken: somebody else listens there.
            InvalidRequest: the system does not let us have it.
        """
        try:
            sockets = await asyncio.to_thread(listen, port)
        except OSError as error:
            raise InvalidRequest(f"port {port} cannot be opened: {error.strerror}") from error
        face = ContainerFace(container, gate=self._gate, max_body_bytes=self._max_body_bytes)
        opened = LoopbackPort(face)
        await opened.start(sockets)
        return opened


class LoopbackPort:
    """One port that answers."""

    def __init__(self, face: ContainerFace) -> None:
        """Prepare to serve an application."""
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._config = uvicorn.Config(
            face,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._config.load()

    async def start(self, sockets: list[socket.socket]) -> None:
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
        return BoundedHttpProtocol(config=self._config, server_state=self._state, app_state={})
