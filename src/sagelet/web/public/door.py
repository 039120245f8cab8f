"""The public listener as its owner knows it: whether it is open, and how others get there."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sagelet.errors import InvalidRequest, PortTaken
from sagelet.web.faults import Refused
from sagelet.web.public.admission import Admission
from sagelet.web.public.arrivals import Network, Proxies, network_of
from sagelet.web.public.ports import OpenPort

if TYPE_CHECKING:
    from sagelet.web.site import Site

log = logging.getLogger(__name__)

LEAST_PORT = 1024
_CLOSE_S = 5.0
_ADDRESS = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)|(?P<name>localhost)):(?P<port>[0-9]{1,5})"
)
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,253}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to listen, and who stands before it. `public_url` has no slash at its end."""

    host: str
    port: int
    proxies: tuple[Network, ...] = ()
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """A listener that is open."""

    host: str
    port: int
    proxies: tuple[str, ...]
    public_url: str
    since: datetime

    @property
    def base(self) -> str:
        """The address that others are given, without a slash at its end."""
        if self.public_url:
            return self.public_url
        address = ipaddress.ip_address(self.host)
        # What listens at every address has none to go to: the machine's name has to do.
        host = socket.gethostname() if address.is_unspecified else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def wanted_of(address: str, proxies: tuple[str, ...] = (), public_url: str = "") -> Wanted:
    """Read where to listen.

    Raises:
        InvalidRequest: that is no address and port, a proxy is no network, or the URL is none.
    """
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        raise InvalidRequest(
            message=f"{address[:80]!r} is not like 127.0.0.1:8080, 192.168.1.5:8080 or [::]:8080"
        )
    host = "127.0.0.1" if found["name"] else (found["v4"] or found["v6"])
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise InvalidRequest(message=f"{host} is no address") from error
    port = int(found["port"])
    if not (port == 0 or LEAST_PORT <= port < 2**16):
        raise InvalidRequest(
            message=f"port {port}: use one from {LEAST_PORT} to 65535. Ports below {LEAST_PORT}, "
            "and TLS, are for a proxy before it, such as Caddy or nginx."
        )
    return Wanted(host, port, tuple(network_of(each) for each in proxies), _url(public_url))


def _url(text: str) -> str:
    url = text.strip().rstrip("/")
    if url and (not _URL.fullmatch(url) or not urlsplit(url).hostname):
        raise InvalidRequest(
            message=f"{text[:80]!r} is no URL such as https://models.example.com (without a path)"
        )
    return url.lower()


class PublicDoor:
    """Opens the listener, and closes it. It stays closed until somebody opens it."""

    def __init__(self, site: Site) -> None:
        """Keep whose it is."""
        self._site = site
        self.admission = Admission(site.access.limits)
        self._busy = asyncio.Lock()
        self._open: tuple[Listening, OpenPort] | None = None

    @property
    def listening(self) -> Listening | None:
        """What is open now."""
        return self._open[0] if self._open is not None else None

    async def open(self, wanted: Wanted) -> Listening:
        """Let others in.

        Raises:
            Refused: 409 where it is open already, or somebody else listens there.
            InvalidRequest: the system does not let us have the address.
        """
        from sagelet.web.public.app import PublicApp  # noqa: PLC0415  pages, once they are wanted

        async with self._busy:
            if self._open is not None:
                raise Refused(
                    409,
                    f"the public listener is open already, at {self._open[0].base}: "
                    "`sagelet ui --public off` closes it",
                )
            proxies = Proxies(wanted.proxies)
            app = PublicApp(self._site, proxies, wanted.public_url)
            try:
                port = await self._site.backend.public_ports.open(
                    wanted.host, wanted.port, app, is_proxy=proxies.trusts
                )
            except PortTaken as error:
                raise Refused(409, str(error)) from error
            listening = Listening(
                wanted.host,
                port.number,
                tuple(map(str, wanted.proxies)),
                wanted.public_url,
                self._site.backend.clock.now(),
            )
            self._open = listening, port
            log.warning("the public listener is open at %s port %d", wanted.host, port.number)
            return listening

    async def close(self) -> bool:
        """Let nobody in any more; False where it was closed."""
        async with self._busy:
            if self._open is None:
                return False
            (_, port), self._open = self._open, None
            log.warning("the public listener is closed")
            await port.close(_CLOSE_S)
            return True
