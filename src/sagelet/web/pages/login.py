"""Signing in: the CLI's one-time token, which is in the address's fragment or pasted by hand."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import checked_form
from sagelet.web.access.paths import own_path
from sagelet.web.access.sessions import LASTS_S
from sagelet.web.access.small_forms import small_form
from sagelet.web.faults import Refused
from sagelet.web.site import Site


class LoginPages:
    """`/login` and `/logout`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/login", self._show, methods=["GET"]),
            Route("/login", self._sign_in, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        wanted = own_path(request.query_params.get("next", "/"))
        return self._site.rendering.page(request, "login.html.j2", wanted=wanted)

    async def _sign_in(self, request: Request) -> Response:
        form = await small_form(request)
        if not self._site.access.one_time_tokens.redeem(form.get("token", "").strip()):
            raise Refused(
                401,
                "this token has been used, or it is older than a minute: `sagelet ui` makes one",
            )
        access = self._site.access
        answer = RedirectResponse(own_path(form.get("next", "/")), status_code=303)
        answer.set_cookie(
            access.cookie,
            access.sessions.begin(request.cookies.get(access.cookie, "")),
            max_age=LASTS_S,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _sign_out(self, request: Request) -> Response:
        await checked_form(request)
        access = self._site.access
        access.sessions.end(request.cookies.get(access.cookie, ""))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(access.cookie, httponly=True, samesite="strict")
        return answer
