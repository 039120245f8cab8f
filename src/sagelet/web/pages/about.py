"""`/about`: which versions run, and under which licences what is shipped comes."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sagelet import __version__
from sagelet.web.rendering import STATIC
from sagelet.web.site import Site

_LIBRARIES = (
    "boto3",
    "botocore",
    "jinja2",
    "libcst",
    "markdown-it-py",
    "nh3",
    "starlette",
    "uvicorn",
)


@dataclass(frozen=True, slots=True)
class Licence:
    """A work of others that the package ships, and the text of its licence."""

    work: str
    text: str


class AboutPages:
    """`/about`."""

    def __init__(self, site: Site) -> None:
        """Stand on the site's parts."""
        self._site = site

    def routes(self) -> Sequence[BaseRoute]:
        """Return where it is."""
        return [Route("/about", self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        backend = self._site.backend
        return self._site.rendering.page(
            request,
            "about.html.j2",
            versions=versions(),
            licences=licences(),
            address=backend.address,
            home=str(backend.home.root),
            account=backend.account,
        )


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return what runs, and its version."""
    return (
        ("Sagelet", __version__),
        ("Python", platform.python_version()),
        *((name, metadata.version(name)) for name in _LIBRARIES),
    )


@cache
def licences() -> tuple[Licence, ...]:
    """Return the licences of what stands in `static/vendor`."""
    return tuple(
        Licence(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((STATIC / "vendor").glob("*.LICENSE"))
    )
