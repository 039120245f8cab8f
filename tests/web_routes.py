"""Every route of the web app, found in the app itself, so that a new one is tested unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute, Mount, Route

from sagelet.web.api.app import ApiApp
from sagelet.web.app import WebApp
from sagelet.web.site import Site

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True)
class Known:
    """A method and a path with its parameters in braces; a page or a call of the API."""

    method: str
    path: str

    @property
    def is_page(self) -> bool:
        return not self.path.startswith("/api/")

    def filled(self, names: Mapping[str, str]) -> str:
        """Return the path with names in place of its parameters."""
        return _PARAMETER.sub(lambda found: names[found[1]], self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def known_routes(site: Site) -> Sequence[Known]:
    """Return every route but static files."""
    return sorted(
        {
            Known(method, path)
            for app in (WebApp(site), ApiApp(site))
            for path, methods in _routes(_starlette(app).routes)
            for method in methods - {"HEAD"}
        },
        key=str,
    )


def _starlette(app: WebApp | ApiApp) -> Any:  # noqa: ANN401  the application inside
    return app._app


def _routes(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, frozenset[str]]]:
    for each in routes:
        if isinstance(each, Route):
            yield each.path, frozenset(each.methods or ())
        elif isinstance(each, Mount) and each.path == "":
            inner: Any = each.app
            yield from _routes(inner._app.routes)
        else:
            assert isinstance(each, Mount), each
            assert each.path == "/static"
