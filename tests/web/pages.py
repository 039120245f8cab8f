"""Every page that there is, for the tests that hold for each and for the screenshots.

A page whose path has `{job}` or the like is shown of what `tests.web.shown` has made.
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
    Shown("about", "/about"),
    Shown("not-found", "/jobs/no-such-job/at-all"),
    Shown("login", "/login", is_owners=False),
)
