"""The first thing that every request meets: who may speak to a server on loopback at all.

Any web page can make a browser post to 127.0.0.1, and a name can be made to resolve to it. So the
Host header must be one of ours (DNS rebinding), and a request that a foreign page caused is refused
(Origin, Sec-Fetch-Site), whatever its method and path. Two kinds of requests are left to the web
app to judge:

    a link to one of its pages   the browser goes there, and no script of the other site sees it;
                                 a page changes nothing, and SameSite=Strict keeps the cookie back
    what an API key is good for  from a site that the key's owner has named; the key itself is in a
                                 header, which no browser adds by itself
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sagelet.errors import SageletError
from sagelet.wire.messages import Headers

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS_AT_MOST = 100
_SEEN_AT_MOST = 64


class Refused(SageletError):
    """A request that the gate does not let in: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status
        self.message = message

    def sentence(self) -> str:
        """Return the message."""
        return self.message


class Gate:
    """Checks the headers of a request. `allowed_hosts` are names besides the loopback ones."""

    def __init__(self, *, allowed_hosts: frozenset[str] = frozenset()) -> None:
        """Keep the names."""
        self._hosts = LOOPBACK_NAMES | {name.lower() for name in allowed_hosts}
        self._seen: set[bytes] = set()

    def check(
        self, headers: Headers, *, shows_page: bool = False, takes_keys: bool = False
    ) -> None:
        """Let a request in.

        `shows_page` says that it is a GET of a page of ours, `takes_keys` that the web app answers
        no foreign Origin there but with an API key that names it.

        Raises:
            Refused: 431 for too many headers, 421 for a Host that is not ours, 403 for a request
                that another site caused.
        """
        if len(list(headers)) > _HEADERS_AT_MOST:
            raise Refused(431, f"more than {_HEADERS_AT_MOST} header fields")
        self._check_host(headers)
        origins = headers.get_all("origin")
        if takes_keys and len(origins) == 1 and not self._is_ours(origins[0], headers["host"]):
            return
        self._check_origins(origins, headers["host"])
        if not (shows_page and _is_navigation(headers)):
            _check_site(headers)

    def surely_admits(self, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether `check` would let in a request with these fields, one of each name.

        It may say no to what `check` lets in: nobody who is not a browser sends Origin.
        """
        host = headers.get(b"host", b"")
        return (
            (host in self._seen or self._sees(host))
            and b"origin" not in headers
            and b"sec-fetch-site" not in headers
            and len(headers) <= _HEADERS_AT_MOST
        )

    def _sees(self, host: bytes) -> bool:
        """Remember a Host that is ours; there are as many of them as there are ports."""
        if _name_of(host.decode("latin-1")) not in self._hosts:
            return False
        if len(self._seen) < _SEEN_AT_MOST:
            self._seen.add(host)
        return True

    def _check_host(self, headers: Headers) -> None:
        hosts = headers.get_all("host")
        if len(hosts) != 1 or _name_of(hosts[0]) not in self._hosts:
            raise Refused(
                421,
                f"Host {', '.join(hosts) or '(none)'} is not one of this server's names; "
                "use 127.0.0.1 or localhost, or start it with --allow-host NAME",
            )

    def _check_origins(self, origins: list[str], host: str) -> None:
        for origin in origins:
            if not self._is_ours(origin, host):
                raise Refused(403, f"a request from another site (Origin: {origin})")

    def _is_ours(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme == "http" and parts.netloc.lower() == host.lower()


def _check_site(headers: Headers) -> None:
    for site in headers.get_all("sec-fetch-site"):
        if site not in ("same-origin", "none"):
            raise Refused(403, f"a request from another site (Sec-Fetch-Site: {site})")


def _is_navigation(headers: Headers) -> bool:
    """Say whether a browser shows what it gets in a window of its own, and in no frame."""
    return headers.get_all("sec-fetch-mode") == ["navigate"] and headers.get_all(
        "sec-fetch-dest"
    ) == ["document"]


def _name_of(host: str) -> str:
    """Return the name in a Host header; nothing where the header is not exactly name[:port]."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.lower()
    return name.lower() if port.isascii() and port.isdigit() else ""
