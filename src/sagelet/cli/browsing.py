"""Showing a page in the person's browser, where there is one that can show itself."""

from __future__ import annotations

import html
import os
import sys
import webbrowser

from sagelet.domain.home import Home
from sagelet.environments.whole_files import write_whole

_LEADING_ON = """<!doctype html>
<meta charset="utf-8">
<title>Sagelet</title>
<meta http-equiv="refresh" content="0; url={url}">
<p><a href="{url}">Open Sagelet</a></p>
"""


def show(home: Home, url: str) -> bool:
    """Open an address that signs in; False where there is no browser, and the person has to.

    The browser gets a file that only its owner reads, which leads on to the address: what a program
    is started with, every user of the machine can see. Without a display Python would start a
    browser inside the terminal, which the person did not ask for.
    """
    if not _has_display():
        return False
    write_whole(home.login_page, _LEADING_ON.format(url=html.escape(url)), mode=0o600)
    return webbrowser.open(home.login_page.as_uri())


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
