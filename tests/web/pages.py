"""Every page that there is, for the tests that hold for each and for the screenshots.

What stands in braces is a name of what `tests.web.shown` has made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """A page: what it is called, where it is, and whether one signs in for it."""

    name: str
    path: str
    is_owners: bool = True


PAGES = (
    Shown("dashboard", "/"),
    Shown("predict", "/endpoints/{endpoint}"),
    Shown("logs", "/endpoints/{endpoint}/logs"),
    Shown("keys", "/keys"),
    Shown("about", "/about"),
    Shown("not-found", "/jobs/no-such-job/at-all"),
    Shown("login", "/login", is_owners=False),
)
