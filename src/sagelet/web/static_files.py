"""The scripts and styles that the package ships."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles as StarletteStaticFiles
from starlette.types import Scope

from sagelet.web.rendering import STATIC

_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles(StarletteStaticFiles):
    """Files below `static/`. One that is asked for by its hash never changes."""

    def __init__(self) -> None:
        """Serve the package's own folder."""
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, with how long a browser may keep it."""
        answer = await super().get_response(path, scope)
        hashed = scope["query_string"].startswith(b"v=")
        answer.headers["cache-control"] = _FOR_EVER if hashed else "no-cache"
        return answer
