"""Pages of other sites (CORS): they may ask with an API key that names their origin, and only so.

A browser sends Origin by itself, and the key only if the page's own script has it. Where a request
comes from another origin neither a session nor a signature counts.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagelet.web.access.principals import KeyHolder, Principal
from sagelet.web.faults import Refused

_ALLOWED = "allowed_origin"
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, x-api-key, content-type, accept",
    "access-control-max-age": "600",
}


class NamedOrigins(Protocol):
    """Knows which origins keys name."""

    def names_origin(self, origin: str) -> bool:
        """Say whether any does."""
        ...


class KnowsKeys(Protocol):
    """Who may ask, as far as it matters here."""

    @property
    def keys(self) -> NamedOrigins:
        """The API keys."""
        ...


def other_origin(request: Request) -> str | None:
    """Return the origin of the page that a request is from, if that is not one of ours."""
    origin = request.headers.get("origin")
    if origin is None or origin.lower() == f"http://{request.headers.get('host', '')}".lower():
        return None
    return origin


def require_known_origin(request: Request, who: Principal) -> None:
    """Let a request of another site's page pass if its API key names the site.

    Raises:
        Refused: 403 for any other.
    """
    origin = other_origin(request)
    if origin is None:
        return
    if not (isinstance(who, KeyHolder) and origin in who.origins):
        raise Refused(403, f"a request from another site (Origin: {origin})")
    request.scope["state"][_ALLOWED] = origin


class OtherOrigins:
    """Answers the question that a browser asks before (OPTIONS), and lets it pass on the answer."""

    def __init__(self, app: ASGIApp, access: KnowsKeys) -> None:
        """Stand before an application."""
        self._app = app
        self._keys = access.keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        origin = other_origin(Request(scope))
        if origin is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await self._preflight(origin)(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def with_leave(message: Message) -> None:
            if message["type"] == "http.response.start" and _ALLOWED in state:
                message["headers"] = [*message["headers"], *_leave(state[_ALLOWED])]
            await send(message)

        await self._app(scope, receive, with_leave)

    def _preflight(self, origin: str) -> Response:
        if not self._keys.names_origin(origin):
            return Response(status_code=403, headers={"vary": "origin"})
        answer = Response(status_code=204, headers=_PREFLIGHT)
        answer.raw_headers.extend(_leave(origin))
        return answer


def _leave(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"*"),
        (b"vary", b"origin"),
    ]
