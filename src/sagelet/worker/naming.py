"""The names of a job's hosts where no /etc/hosts can hold them: looked up in this process instead.

This is for look-ups through Python's `socket`; torch's are `meeting`'s. Programs that this process
starts do not know the names.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Callable

_OWN_NAME = "CURRENT_HOST"
_MASTER = "MASTER_ADDR"


def with_addresses(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Return variables whose MASTER_ADDR is an address, which programs of any kind understand."""
    master = environment.get(_MASTER, "")
    if master in names:
        return {**environment, _MASTER: names[master]}
    return dict(environment)


def install(names: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Have this process, and its forks, know these names; the host's own is in the variables."""
    if not names:
        return
    own = environment.get(_OWN_NAME, "")

    def addressed(host: Any) -> Any:  # noqa: ANN401 - whatever the caller gives
        text = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
        return names.get(text.lower(), host) if isinstance(text, str) else host

    def by_host(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda host, *args, **options: real(addressed(host), *args, **options)

    def named(real: Callable[..., Any]) -> Callable[..., Any]:
        def found(host: Any) -> Any:  # noqa: ANN401 - as above
            address = addressed(host)
            return real(host) if address == host else (host, [], [address])

        return found

    def at_address(real: Callable[..., Any]) -> Callable[..., Any]:
        def reached(self: socket.socket, address: Any) -> Any:  # noqa: ANN401 - as above
            if isinstance(address, tuple) and address:
                address = (addressed(address[0]), *address[1:])
            return real(self, address)

        return reached

    _replace(socket, by_host, "getaddrinfo", "gethostbyname")
    _replace(socket, named, "gethostbyname_ex", "gethostbyaddr")
    _replace(socket.socket, at_address, "connect", "connect_ex", "bind")
    if own in names:
        _replace(socket, lambda _real: lambda: own, "gethostname")


def _replace(holder: Any, wrapped: Callable[[Any], Any], *functions: str) -> None:  # noqa: ANN401 - a module or a class
    for function in functions:
        setattr(holder, function, wrapped(getattr(holder, function)))
