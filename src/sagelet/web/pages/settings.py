"""`/settings`: the history of calls, the theme, and what lies on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sagelet.web.access.guard import checked_form
from sagelet.web.disk_use import disk_use
from sagelet.web.faults import Refused
from sagelet.web.rendering import THEME_COOKIE, THEMES
from sagelet.web.site import Site

_A_YEAR_S = 365 * 24 * 3600


class SettingsPages:
    """`/settings`. The theme is the browser's own, the rest the daemon's."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site
        self._history = site.backend.history

    def routes(self) -> Sequence[BaseRoute]:
        """Return where they are."""
        return [
            Route("/settings", self._show, methods=["GET"]),
            Route("/settings/theme", self._choose_theme, methods=["POST"]),
            Route("/settings/history", self._turn_history, methods=["POST"]),
            Route("/settings/history/clear", self._clear_history, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        root = self._site.backend.home.root
        used = await asyncio.to_thread(disk_use, root)
        return self._site.rendering.page(
            request,
            "settings.html.j2",
            is_on=self._history.is_on,
            kept=self._history.kept,
            history=await asyncio.to_thread(self._history.facts),
            themes=THEMES,
            home=str(root),
            used=used,
            total=sum(each.size_bytes for each in used),
            is_all=all(each.is_all for each in used),
        )

    async def _choose_theme(self, request: Request) -> Response:
        form = await checked_form(request)
        theme = form.get("theme")
        if theme not in THEMES:
            raise Refused(400, f"a theme is one of {', '.join(THEMES)}")
        answer = _back()
        answer.set_cookie(
            THEME_COOKIE, str(theme), max_age=_A_YEAR_S, httponly=True, samesite="strict"
        )
        return answer

    async def _turn_history(self, request: Request) -> Response:
        form = await checked_form(request)
        wanted = form.get("history")
        if wanted not in ("on", "off"):
            raise Refused(400, "the history is on or off")
        await asyncio.to_thread(self._history.turn, on=wanted == "on")
        return _back()

    async def _clear_history(self, request: Request) -> Response:
        await checked_form(request)
        await asyncio.to_thread(self._history.clear)
        return _back()


def _back() -> Response:
    return RedirectResponse("/settings", status_code=303)
