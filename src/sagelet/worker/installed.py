"""A fingerprint of what is installed beside an interpreter: it changes with pip install."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable

_MARKS = (".dist-info", ".egg-info", ".egg-link", ".pth")


def folders() -> list[str]:
    """Return the folders of this interpreter's path that hold installed packages."""
    return sorted({path for path in sys.path if path.endswith(("site-packages", "dist-packages"))})


def fingerprint(places: Iterable[str]) -> str:
    """Return a hash of which distributions the folders hold, and since when."""
    digest = hashlib.sha256()
    for place in places:
        for name, changed_ns in _marks(place):
            digest.update(f"{place}\0{name}\0{changed_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _marks(place: str) -> list[tuple[str, int]]:
    try:
        with os.scandir(place) as entries:
            return sorted(
                (entry.name, entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.endswith(_MARKS)
            )
    except OSError:
        return []
