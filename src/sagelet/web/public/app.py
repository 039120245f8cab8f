"""The public listener's application: pages below /p, predictions, and nothing else.

    deadline of bodies ── where from ── CORS ── errors ── who ─┬─ /healthz
                                                               ├─ /static/…   what the page needs
                                                               ├─ /p/{slug}
                                                               └─ /api/v1/…   of public endpoints

It shares no route with the daemon's own port, and knows of no owner: no cookie, no signature and no
token is good for anything here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sagelet.web.access.limits import RateLimiter
from sagelet.web.access.origins import OtherOrigins
from sagelet.web.api.predict import REQUEST_ID
from sagelet.web.faults import MEDIA_TYPE, Problem, Refused, headers_of
from sagelet.web.json_answers import JsonAnswer
from sagelet.web.middleware import Answering, SecurityHeaders
from sagelet.web.public.answers import problem_for_strangers
from sagelet.web.public.arrivals import Proxies, bucket_of
from sagelet.web.public.assets import PublicFiles
from sagelet.web.public.identity import Arrived, Guests
from sagelet.web.public.pages import PublicPages
from sagelet.web.public.predicting import PublicApi
from sagelet.web.site import Site

ANY_PER_MINUTE = 600
"""So often a minute a client may ask for anything at all, whatever is public."""

_HEALTH = "/healthz"


class PublicApp:
    """What anybody who reaches the listener may ask."""

    def __init__(self, site: Site, proxies: Proxies, public_url: str) -> None:
        """Build it on the site's parts; `public_url` is the address that others know, if told."""
        self._site = site
        routes: Sequence[BaseRoute] = [
            Route(_HEALTH, _health, methods=["GET"]),
            Mount("/static", PublicFiles()),
            *PublicPages(site).routes(),
            *PublicApi(site).routes(),
        ]
        self._app = Starlette(
            routes=list(routes),
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(Arrived, proxies=proxies, public_url=public_url),
                Middleware(OtherOrigins, access=site.access),
                Middleware(Answering, answer=self._failed),
                Middleware(Unhurried),
                Middleware(Guests, access=site.access),
            ],
            exception_handlers={HTTPException: self._failed},
        )
        # It would lead on to an address that the request itself has named.
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    async def _failed(self, request: Request, error: Exception) -> Response:
        problem, headers = problem_for_strangers(error), headers_of(error)
        if request.url.path.startswith("/api/"):
            return _as_document(request, problem, headers)
        template = "public/problem.html.j2"
        answer = self._site.rendering.page(request, template, problem.status, problem=problem)
        answer.headers.update(headers)
        return answer


class Unhurried:
    """Lets a client ask for no more than so much a minute, of whatever kind."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app
        self._limits = RateLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        wait_s = self._limits.take(bucket_of(scope["client"][0]), ANY_PER_MINUTE)
        if wait_s is not None and scope["path"] != _HEALTH:
            raise Refused(429, "too many requests", {"retry-after": str(math.ceil(wait_s))})
        await self._app(scope, receive, send)


def _as_document(request: Request, problem: Problem, headers: dict[str, str]) -> Response:
    document = problem.document()
    known_as = request.scope.get("state", {}).get(REQUEST_ID)
    if known_as is not None:
        headers["x-request-id"] = document[REQUEST_ID] = known_as
    return JsonAnswer(document, problem.status, headers, MEDIA_TYPE)


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
