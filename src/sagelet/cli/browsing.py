"""Showing a page in the person's browser, where there is one that can show itself."""

from __future__ import annotations

import os
import sys
import webbrowser


def show(url: str) -> bool:
    """Open an address; False where there is no browser for it, and the person has to.

    Without a display Python would start one inside the terminal, which the person did not ask for.
    """
    return _has_display() and webbrowser.open(url)


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
