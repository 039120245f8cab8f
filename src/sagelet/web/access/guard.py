"""What stands before pages and the API: finds out who asks, and refuses what they may not."""

from __future__ import annotations

import hashlib
import hmac

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagelet.web.access.paths import login_path, own_path
from sagelet.web.access.principals import Owner, Principal, Visitor
from sagelet.web.access.sessions import COOKIE, OneTimeTokens, Sessions
from sagelet.web.faults import Refused
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.signatures import Verifier

SERVICE = "sagelet"
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD"})
_SIGN_IN = "sign in first: `sagelet ui` opens a browser that is"


class Access:
    """Knows who may ask what. Every request's principal is found once, by `principal_of`."""

    def __init__(self, verifier: Verifier) -> None:
        """Begin with no session and no token; `verifier` knows the home's access keys."""
        self.sessions = Sessions()
        self.one_time_tokens = OneTimeTokens()
        self._verifier = verifier

    def principal_of(self, request: Request, body_sha256: str | None = None) -> Principal:
        """Return who a request is from; `body_sha256` is its body's, where it is signed.

        Raises:
            Fault: it is signed, and not by a key that we know.
        """
        if is_signed(request):
            self._verifier.verify(head_of(request), body_sha256=body_sha256, service=SERVICE)
            return Owner()
        token = request.cookies.get(COOKIE)
        session = self.sessions.find(token) if token else None
        if session is not None:
            return Owner(csrf=session.csrf)
        return Visitor(request.client.host if request.client else "")


def principal(request: Request) -> Principal:
    """Return whom `Identified` has found a request to be from."""
    found: Principal = request.state.principal
    return found


def require_owner(request: Request) -> Owner:
    """Return the owner whose request this is; one that changes something carries its CSRF token.

    JSON clients send it in the header; forms are read by `checked_form`.

    Raises:
        Refused: 401 for anybody else, 403 without the token.
    """
    who = principal(request)
    if not isinstance(who, Owner):
        raise Refused(401, _SIGN_IN)
    if request.method not in SAFE_METHODS:
        _require_token(who, request.headers.get(CSRF_HEADER, ""))
    return who


def require_signature(request: Request) -> None:
    """Let only a signed request pass: what is asked for is not for a browser, signed in or not.

    Raises:
        Refused: 401 for anybody else, 403 for a browser.
    """
    if require_owner(request).csrf is not None:
        raise Refused(403, f"{request.url.path} is for requests that are signed")


async def checked_form(request: Request) -> FormData:
    """Return the owner's form, which is the only way that a page's POST is read.

    Raises:
        Refused: 401 for anybody else, 403 without the session's token.
    """
    who = principal(request)
    if not isinstance(who, Owner):
        raise Refused(401, _SIGN_IN)
    form = await request.form()
    given = request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD)
    _require_token(who, given if isinstance(given, str) else "")
    return form


def _require_token(who: Owner, given: str) -> None:
    if who.csrf is not None and not hmac.compare_digest(who.csrf.encode(), given.encode()):
        raise Refused(403, "the form's token is missing or old: load the page again")


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
            # Whoever cannot be told who they are is nobody; the error's page needs to know as much.
            request.state.principal = Visitor(request.client.host if request.client else "")
            digest = None
            if is_signed(request):
                body = await request.body()
                digest, receive = hashlib.sha256(body).hexdigest(), _once_more(body, receive)
            request.state.principal = self._access.principal_of(request, digest)
        await self._app(scope, receive, send)


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


def is_signed(request: Request) -> bool:
    """Say whether a request claims a signature, which covers its body."""
    return request.headers.get("authorization", "").startswith("AWS4-")


def _once_more(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more, then what comes after it."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return parts.pop() if parts else await receive()

    return received


def head_of(request: Request) -> RequestHead:
    """Return a request's head as signatures are made of it."""
    return RequestHead(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("latin-1"),
        raw_query=request.scope["query_string"].decode("latin-1"),
        headers=Headers(
            [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw]
        ),
    )
