"""The loopback ports of containers: further sockets of the daemon, on its own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sagelet.domain.container import ServedContainer
from sagelet.errors import InvalidRequest
from sagelet.server.container_face import ContainerFace
from sagelet.server.gate import Gate
from sagelet.server.listening import listen
from sagelet.server.ports import Port

KEEP_ALIVE_S = 75


class LoopbackPorts:
    """Opens ports for containers. It is the daemon's `domain.container.ContainerPorts`."""

    def __init__(self, *, gate: Gate, max_body_bytes: int) -> None:
        """Let in through each port what the gate lets in through the daemon's own."""
        self._gate = gate
        self._max_body_bytes = max_body_bytes

    async def open(self, port: int, container: Callable[[], ServedContainer]) -> Port:
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
        opened = Port(face, keep_alive_s=KEEP_ALIVE_S)
        await opened.start(sockets)
        return opened
