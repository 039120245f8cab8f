"""Where a request comes from: the peer, or the client that a proxy which is named tells of.

    client ── somebody's proxy ── our proxy ── us      X-Forwarded-For: …, client, somebody's proxy

Each proxy adds the address that it was asked from at the right end. So the list is read from the
right for as long as an address is one of our own proxies'; the first that is not is the client, and
what stands further left is only what that client has said.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import Headers

from sagelet.errors import InvalidRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_SCHEMES = ("http", "https")
_OF_ONE_CLIENT = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who asks, and the address that they asked for, as far as a proxy of ours has told it.

    `base` has no slash at its end; it is empty where nobody who is trusted has told it.
    """

    client: str
    base: str = ""


class Proxies:
    """The proxies that were named: what they tell of their clients is believed."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        """Trust the addresses of some networks."""
        self._networks = tuple(networks)

    def trusts(self, address: str) -> bool:
        """Say whether an address is one of a proxy's."""
        known = _address(address)
        return known is not None and self._knows(known)

    def arrival(self, peer: str, headers: Headers) -> Arrival:
        """Return where a request of a peer comes from."""
        if not self.trusts(peer):
            return Arrival(peer)
        return Arrival(self._client(peer, headers), _told_base(headers))

    def _client(self, peer: str, headers: Headers) -> str:
        client = peer
        for text in reversed(_listed(headers, "x-forwarded-for")):
            hop = _address(_without_port(text))
            if hop is None:
                break  # what cannot be read is believed no further
            client = str(hop)
            if not self._knows(hop):
                break
        return client

    def _knows(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def network_of(text: str) -> Network:
    """Read the network of a proxy, such as 127.0.0.1 or 10.0.0.0/24.

    Raises:
        InvalidRequest: it is none, or everybody's.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise InvalidRequest(
            message=f"{text[:80]!r} is no address or network, such as 127.0.0.1 or 10.0.0.0/24"
        ) from error
    if network.prefixlen == 0:
        raise InvalidRequest(message=f"{text[:80]!r} is everybody: name the proxy's own address")
    return network


def bucket_of(client: str) -> str:
    """Return what a client's requests are counted by: an IPv6 client has a whole /64 to itself."""
    address = _address(client)
    if not isinstance(address, ipaddress.IPv6Address):
        return client
    return str(ipaddress.ip_network((address, _OF_ONE_CLIENT), strict=False))


def _told_base(headers: Headers) -> str:
    hosts, schemes = _listed(headers, "x-forwarded-host"), _listed(headers, "x-forwarded-proto")
    scheme = schemes[-1].lower() if schemes else "http"
    if not hosts or not _HOST.fullmatch(hosts[-1]) or scheme not in _SCHEMES:
        return ""
    return f"{scheme}://{hosts[-1].lower()}"


def _listed(headers: Headers, name: str) -> list[str]:
    return [each.strip() for line in headers.getlist(name) for each in line.split(",")]


def _without_port(text: str) -> str:
    """Return the address of `1.2.3.4:5678` or `[::1]:5678`, as some proxies write it."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
