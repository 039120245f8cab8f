"""Every page that there is, for the tests that hold for each and for the screenshots.

What stands in braces is a name of what `tests.web.shown` has made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """A page: what it is called, where it is, whether one signs in for it and makes pictures."""

    name: str
    path: str
    is_owners: bool = True
    is_pictured: bool = True


PAGES = (
    Shown("dashboard", "/"),
    Shown("predict", "/endpoints/{endpoint}"),
    Shown("api", "/endpoints/{endpoint}/api"),
    Shown("metrics", "/endpoints/{endpoint}/metrics"),
    Shown("history", "/endpoints/{endpoint}/history"),
    Shown("logs", "/endpoints/{endpoint}/logs"),
    Shown("long-name", "/endpoints/{long_name}", is_pictured=False),
    Shown("config", "/endpoints/{endpoint}/config"),
    Shown("jobs", "/jobs"),
    Shown("job", "/jobs/{job}"),
    Shown("failed-job", "/jobs/{failed_job}"),
    Shown("models", "/models"),
    Shown("model", "/models/{model}"),
    Shown("keys", "/keys"),
    Shown("settings", "/settings"),
    Shown("about", "/about"),
    Shown("not-found", "/jobs/no-such-job/at-all"),
    Shown("public", "/p/{slug}", is_owners=False),
    Shown("login", "/login", is_owners=False),
)
