"""The web app as one ASGI application.

security headers ── who asks ─┬─ /static, /login, /healthz of browsers   anybody
                              ├─ /api/v1/…                               each call says who may
                              └─ pages                                   the owner
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagelet.web.access.guard import Access, Identified, OwnersOnly
from sagelet.web.access.login_api import LoginApi
from sagelet.web.backend import Backend
from sagelet.web.faults import MEDIA_TYPE, Refused, problem_of
from sagelet.web.pages.dashboard import DashboardPages
from sagelet.web.pages.login import LoginPages
from sagelet.web.rendering import Rendering
from sagelet.web.site import Site
from sagelet.web.static_files import StaticFiles

API = "/api/"

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
        "style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class WebApp:
    """Pages and API."""

    def __init__(self, backend: Backend) -> None:
        """Build them on what the daemon offers."""
        self.site = Site(backend, Access(backend), Rendering())
        owners: list[BaseRoute] = [*DashboardPages(self.site).routes()]
        anybody: list[BaseRoute] = [
            Mount("/static", StaticFiles()),
            *LoginPages(self.site).routes(),
            *LoginApi(self.site).routes(),
        ]
        self._app = Starlette(
            routes=[*anybody, Mount("/", OwnersOnly(Router(owners, default=_no_page)))],
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(Answering, answer=self._failed),
                Middleware(Identified, access=self.site.access),
            ],
            exception_handlers={HTTPException: self._failed},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, which has passed the gate."""
        await self._app(scope, receive, send)

    async def _failed(self, request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        headers = error.headers if isinstance(error, Refused) else {}
        if request.url.path.startswith(API):
            return JSONResponse(problem.document(), problem.status, headers, MEDIA_TYPE)
        answer: Response = self.site.rendering.page(
            request, "error.html.j2", problem.status, problem=problem
        )
        answer.headers.update(headers)
        return answer


async def _no_page(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Refused(404, f"there is no page {scope['path']}")


class Answering:
    """Answers an error that nothing further in has answered."""

    def __init__(
        self, app: ASGIApp, answer: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        """Stand before an application."""
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            return
        except Exception as error:
            if has_begun:
                raise
            answer = await self._answer(Request(scope), error)
            await answer(scope, receive, send)


class SecurityHeaders:
    """Sets what a browser is told about every answer, and keeps pages out of its caches."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                wanted: dict[str, Any] = {**SECURITY_HEADERS, "cache-control": "no-store"}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (k.encode(), v.encode())
                        for k, v in wanted.items()
                        if k.encode() not in there
                    ),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)
