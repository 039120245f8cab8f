"""Binding the daemon's one port, on loopback only."""

from __future__ import annotations

import errno
import socket

import psutil

from sagelet.errors import PortTaken
from sagelet.server.settings import DEFAULT_PORT

_TRIES = 100


def listen(port: int | None) -> list[socket.socket]:
    """Return listening sockets on 127.0.0.1 and, where the machine has it, ::1, at one port.

    `port` None means the default port, or the next one that is free; 0 means any.

    Raises:
        PortTaken: a port that was asked for by number is in use.
    """
    if port is not None:
        return _listen_at(port)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _TRIES):
        try:
            return _listen_at(candidate)
        except PortTaken:
            continue
    return _listen_at(0)


def address_of(sockets: list[socket.socket]) -> str:
    """Return the URL that clients are given."""
    return f"http://127.0.0.1:{sockets[0].getsockname()[1]}"


def _listen_at(port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        sockets.append(_bound(socket.AF_INET, "127.0.0.1", port))
        chosen = sockets[0].getsockname()[1]
        if socket.has_ipv6:
            sockets.append(_bound(socket.AF_INET6, "::1", chosen))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            for bound in sockets:
                bound.close()
            raise PortTaken(port=port, owner=_owner(port)) from error
        if not sockets:
            raise
        # A machine without an IPv6 loopback: 127.0.0.1 alone will do.
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.listen(2048)
        bound.settimeout(0)
    except OSError:
        bound.close()
        raise
    return bound


def _owner(port: int) -> str:
    """Return `pid 123 (python3)` for who listens at a port, or nothing where we may not see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return ""
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN
        if listens and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return ""
