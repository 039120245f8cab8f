"""What stands before pages and the API: finds out who asks, and refuses what they may not."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sagelet.web.access.api_keys import ApiKeys
from sagelet.web.access.limits import RateLimiter
from sagelet.web.access.origins import require_known_origin
from sagelet.web.access.paths import login_path, own_path
from sagelet.web.access.principals import KeyHolder, Owner, Principal, Visitor
from sagelet.web.access.sessions import OneTimeTokens, Sessions, cookie_of
from sagelet.web.access.signed import SERVICE, body_digest, head_of, is_signed
from sagelet.web.backend import Backend
from sagelet.web.faults import Refused

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD"})
BEARER = {"www-authenticate": "Bearer"}
_SIGN_IN = "sign in first: `sagelet ui` opens a browser that is"


class Access:
    """Knows who may ask what. Every request's principal is found once, by `principal_of`.

    `open_to_visitors` returns how often a minute anybody may ask an endpoint; None: not at all.
    """

    def __init__(self, backend: Backend) -> None:
        """Stand on the home's sessions, API keys and access keys."""
        self.sessions = Sessions(backend.store, backend.clock)
        self.one_time_tokens = OneTimeTokens()
        self.keys = ApiKeys(backend.store, backend.clock)
        self.limits = RateLimiter()
        self.cookie = cookie_of(backend.address)
        self.open_to_visitors: Callable[[str], int | None] = lambda _endpoint: None
        self._verifier = backend.verifier
        self._clock = backend.clock

    def principal_of(self, request: Request, body_sha256: str | None = None) -> Principal:
        """Return who a request is from; `body_sha256` is its body's, where it is signed.

        Raises:
            Fault: it is signed, and not by a key that we know.
            Refused: 401 for an API key that is none, or no longer.
        """
        if is_signed(request):
            self._verifier.verify(head_of(request), body_sha256=body_sha256, service=SERVICE)
            return Owner()
        key = api_key_of(request)
        if key is not None:
            return self.holder_of(key)
        token = request.cookies.get(self.cookie)
        session = self.sessions.find(token) if token else None
        if session is not None:
            return Owner(csrf=session.csrf)
        return _visitor(request)

    def holder_of(self, text: str) -> KeyHolder:
        """Return whoever holds an API key, by its text.

        Raises:
            Refused: 401 where it is none, or no longer.
        """
        key = self.keys.find(text)
        if key is None:
            raise Refused(401, "there is no such API key, or it was revoked", BEARER)
        if not key.is_good_at(self._clock.now()):
            raise Refused(401, f"the API key {key.shown} has expired", BEARER)
        self.keys.note_use(key)
        endpoints = frozenset(name.lower() for name in key.endpoints)
        return KeyHolder(key.id, endpoints, key.per_minute, key.origins)


def principal(request: Request) -> Principal:
    """Return whom `Identified` has found a request to be from."""
    found: Principal = request.state.principal
    return found


def require_owner(request: Request) -> Owner:
    """Return the owner whose request this is; one that changes something carries its CSRF token.

    JSON clients send it in the header; forms are read by `checked_form`.

    Raises:
        Refused: 401 for a visitor, 403 for an API key or without the token.
    """
    who = _owner(request)
    if request.method not in SAFE_METHODS:
        _require_token(who, request.headers.get(CSRF_HEADER, ""))
    return who


def require_signature(request: Request) -> None:
    """Let only a signed request pass: what is asked for is not for a browser, signed in or not.

    Raises:
        Refused: 401 for a visitor, 403 for an API key or a browser.
    """
    if require_owner(request).csrf is not None:
        raise Refused(403, f"{request.url.path} is for requests that are signed")


async def checked_form(request: Request, *, max_field_bytes: int = 2**20) -> FormData:
    """Return the owner's form, which is the only way that a page's POST is read.

    A field of a multipart form, files aside, has at most `max_field_bytes`.

    Raises:
        Refused: 401 for a visitor, 403 for an API key or without the session's token.
    """
    who = _owner(request)
    form = request.state.form = await request.form(max_part_size=max_field_bytes)
    given = request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD)
    _require_token(who, given if isinstance(given, str) else "")
    return form


def may_predict(request: Request, endpoint: str) -> Principal:
    """Return who asks an endpoint, or for what one needs to know to ask it.

    Nobody but its owner learns from a refusal whether there is such an endpoint.

    Raises:
        Refused: 401 for a visitor, unless anybody may; 403 for a key that is not good for this
            endpoint, or an owner's form without its token; 429 for asking too often.
    """
    who = principal(request)
    if isinstance(who, Owner):
        return require_owner(request)
    access: Access = request.state.access
    wait_s = _taken(access, who, endpoint)
    if wait_s is not None:
        raise Refused(429, "too many requests", {"retry-after": str(math.ceil(wait_s))})
    return who


def _taken(access: Access, who: KeyHolder | Visitor, endpoint: str) -> float | None:
    """Take one of the requests that somebody has; return the seconds to wait if there is none."""
    if isinstance(who, KeyHolder):
        if not who.may_use(endpoint):
            raise Refused(403, f"this API key is not good for an endpoint {endpoint}")
        return access.limits.take(f"key:{who.key_id}", who.per_minute)
    per_minute = access.open_to_visitors(endpoint)
    if per_minute is None:
        raise Refused(401, "an API key is needed: `Authorization: Bearer …`", BEARER)
    return access.limits.take(f"visitor:{who.address} {endpoint.lower()}", per_minute)


def _owner(request: Request) -> Owner:
    who = principal(request)
    if isinstance(who, KeyHolder):
        raise Refused(403, "an API key may ask endpoints, and nothing else")
    if not isinstance(who, Owner):
        raise Refused(401, _SIGN_IN)
    return who


def _require_token(who: Owner, given: str) -> None:
    if who.csrf is not None and not hmac.compare_digest(
        who.csrf.encode(), given.encode("utf-8", "replace")
    ):
        raise Refused(403, "the form's token is missing or old: load the page again")


def _visitor(request: Request) -> Visitor:
    return Visitor(request.client.host if request.client else "")


def api_key_of(request: Request) -> str | None:
    """Return what a request sends as an API key, if it sends one."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return request.headers.get("x-api-key")


class Identified:
    """Finds out who asks, once a request."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Stand before an application."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its principal."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            request.state.access = self._access
            # Whoever cannot be told who they are is nobody; the error's page needs to know as much.
            request.state.principal = _visitor(request)
            digest = None
            if is_signed(request):
                digest, receive = await body_digest(request, receive)
            who = self._access.principal_of(request, digest)
            require_known_origin(request, who)
            request.state.principal = who
        try:
            await self._app(scope, receive, send)
        finally:
            form = scope.get("state", {}).get("form")
            if form is not None:
                await form.close()


class OwnersOnly:
    """Stands before the pages of the owner: anybody else is sent to sign in."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what the owner asks."""
        request = Request(scope)
        if isinstance(principal(request), Owner):
            await self._app(scope, receive, send)
            return
        if request.method not in SAFE_METHODS:
            raise Refused(401, _SIGN_IN)
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer: Response = RedirectResponse(login_path(own_path(wanted)), status_code=303)
        await answer(scope, receive, send)
