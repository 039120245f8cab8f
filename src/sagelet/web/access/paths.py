"""Paths of this site that somebody else has named."""

from __future__ import annotations

import re
from urllib.parse import quote

_LONGEST = 2000
_SIGNING_IN = re.compile(r"/log(?:in|out)(?![^/?#])")


def own_path(wanted: str) -> str:
    """Return a path of this site; anything that could lead elsewhere becomes the dashboard.

    So does signing in itself, which would only lead on to itself.
    """
    is_ours = (
        wanted.startswith("/")
        and wanted[1:2] not in ("/", "\\")
        and wanted.isprintable()
        and len(wanted) <= _LONGEST
        and not _SIGNING_IN.match(wanted)
    )
    return wanted if is_ours else "/"


def login_path(wanted: str) -> str:
    """Return where one signs in to be led on to a path."""
    return "/login" if wanted == "/" else f"/login?next={quote(wanted)}"
