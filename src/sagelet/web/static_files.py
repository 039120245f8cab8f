"""The scripts and styles that the package ships, compressed where the browser takes that."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles as StarletteStaticFiles
from starlette.types import Scope

from sagelet.web.rendering import STATIC

_FOR_EVER = "public, max-age=31536000, immutable"
_TEXTS = (".css", ".js", ".svg")
_FILES_KEPT = 128


class StaticFiles(StarletteStaticFiles):
    """Files below `static/`. One that is asked for by its hash never changes."""

    def __init__(self) -> None:
        """Serve the package's own folder."""
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, with how long a browser may keep it."""
        answer = await super().get_response(path, scope)
        if isinstance(answer, FileResponse) and path.endswith(_TEXTS):
            answer = _for_the_wire(answer, scope)
        hashed = scope["query_string"].startswith(b"v=")
        answer.headers["cache-control"] = _FOR_EVER if hashed else "no-cache"
        return answer


def _for_the_wire(answer: FileResponse, scope: Scope) -> Response:
    """Return a text as it is sent: compressed, if it is asked for and may be."""
    answer.headers["vary"] = "accept-encoding"
    takes = Headers(scope=scope).get("accept-encoding", "")
    if scope["method"] != "GET" or "gzip" not in takes:
        return answer
    file = Path(answer.path)
    headers = {
        name: value for name, value in answer.headers.items() if name != "content-length"
    } | {"content-encoding": "gzip", "etag": f"W/{answer.headers['etag']}"}
    return Response(_compressed(file, file.stat().st_mtime_ns), headers=headers)


@lru_cache(_FILES_KEPT)
def _compressed(file: Path, _changed_at: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)
