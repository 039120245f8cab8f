"""Who comes by the public listener: a guest, with an API key or without, and never the owner.

No cookie is read here and no signature: whoever sends one gets what anybody gets. What `Host` says
is never used to make a link; it only tells whether a form was sent by the page that it is on.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sagelet.web.access.guard import Access, api_key_of
from sagelet.web.access.origins import other_origin, require_known_origin
from sagelet.web.access.principals import Visitor
from sagelet.web.faults import Refused
from sagelet.web.public.arrivals import Proxies

BASE = "public_base"
_FIELDS_AT_MOST = 100


class Arrived:
    """Says where a request comes from, as `scope["client"]`, and what address the guest knows.

    An Origin of ours is taken out: what is left is another site's, whatever Host says.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies, public_url: str) -> None:
        """Stand before an application."""
        self._app = app
        self._proxies = proxies
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        headers = Headers(scope=scope)
        peer, _ = scope["client"] or ("", 0)
        arrival = self._proxies.arrival(peer, headers)
        scope["client"] = (arrival.client, 0)
        scope.setdefault("state", {})[BASE] = self._public_url or arrival.base or _socket(scope)
        Request(scope).state.principal = Visitor(arrival.client)
        if self._is_ours(headers, (arrival.base, _socket(scope))):
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"origin"]
        await self._app(scope, receive, send)

    def _is_ours(self, headers: Headers, known: tuple[str, str]) -> bool:
        origins, hosts = headers.getlist("origin"), headers.getlist("host")
        if len(origins) != 1 or len(hosts) != 1:
            return False
        origin = origins[0].lower()
        if origin in (self._public_url, *known):
            return True
        # Where nobody has said what the address is, it is what the guest's browser thinks it is.
        is_named = bool(self._public_url or known[0])
        return not is_named and origin in (
            f"http://{hosts[0]}".lower(),
            f"https://{hosts[0]}".lower(),
        )


class Guests:
    """Finds out who asks, once a request."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Stand before an application."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its principal."""
        request = Request(scope)
        if len(scope["headers"]) > _FIELDS_AT_MOST:
            raise Refused(431, f"more than {_FIELDS_AT_MOST} header fields")
        key = api_key_of(request)
        if key:
            request.state.principal = self._access.holder_of(key)
        if "origin" in request.headers and other_origin(request) is None:
            raise Refused(403, "a request from another site")  # which has taken our name
        require_known_origin(request, request.state.principal)
        await self._app(scope, receive, send)


def _socket(scope: Scope) -> str:
    """Return the address of the socket that a request has come to."""
    host, port = scope["server"]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
