"""The static files that the public page needs, found in its templates: no others are given out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from sagelet.web.rendering import STATIC
from sagelet.web.static_files import StaticFiles

_TEMPLATES = Path(__file__).parents[1] / "templates"
_FOLDERS = ("public", "forms", "results")
_NAMED = re.compile(r"static\([\"']([\w./-]+)[\"']\)")
_IMPORTED = re.compile(r"(?:from|import)\s*\(?\s*[\"']\./([\w./-]+)[\"']")


class PublicFiles(StaticFiles):
    """Those files, below `/static`."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that the page needs."""
        if path not in needed():
            raise HTTPException(404)
        return await super().get_response(path, scope)


@cache
def needed() -> frozenset[str]:
    """Return the names of the files, with the modules that scripts import."""
    waiting, found = set(_named()), set[str]()
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name.endswith(".js"):
            waiting.update(set(_IMPORTED.findall((STATIC / name).read_text())) - found)
    return frozenset(found)


def _named() -> Iterator[str]:
    for folder in _FOLDERS:
        for template in (_TEMPLATES / folder).glob("*.j2"):
            yield from _NAMED.findall(template.read_text())
