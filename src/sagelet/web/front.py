"""The web app's face to the daemon: the API, and pages that are built when one is looked at.

    Front ─┬─ /api/v1/…   ApiApp   what `sagelet status` and the events need, and no more
           └─ pages       WebApp   templates, forms, results

A daemon that only programs talk to loads no template engine and no markdown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from sagelet.web.api.app import PREFIX, ApiApp
from sagelet.web.backend import Backend
from sagelet.web.site import Site

if TYPE_CHECKING:
    from sagelet.web.app import WebApp


class Front:
    """The one ASGI application of both; a request has passed the gate."""

    def __init__(self, backend: Backend) -> None:
        """Build what they share, and the API."""
        self.site = Site(backend)
        self._api: ASGIApp = ApiApp(self.site)
        self._pages: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].startswith(PREFIX):
            await self._api(scope, receive, send)
            return
        # Loading takes a while, in which the daemon's endpoints go on answering.
        pages = self._pages or self._built(await asyncio.to_thread(_web_app))
        await pages(scope, receive, send)

    def _built(self, kind: type[WebApp]) -> ASGIApp:
        """Build the pages, once: others may have waited for the same."""
        if self._pages is None:
            self._pages = kind(self.site)
        return self._pages

    def end_streams(self) -> None:
        """Let go of everybody who waits for what happens: the daemon is stopping."""
        self.site.events.close()


def _web_app() -> type[WebApp]:
    from sagelet.web.app import WebApp as Loaded  # noqa: PLC0415  when somebody looks

    return Loaded
