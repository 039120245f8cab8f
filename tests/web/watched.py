"""What a browser must not do in a test: complain, break its policy, or ask another origin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError


@dataclass
class Faults:
    """What went wrong in the browsers of a test; its end fails on what was not allowed.

    A test that expects a complaint says so: `faults.allow("status of 424")`.
    """

    seen: list[str] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=list)

    def allow(self, *patterns: str) -> None:
        """Expect complaints in which one of some regular expressions is found."""
        self._allowed.extend(map(re.compile, patterns))

    def unexpected(self) -> list[str]:
        """Return what nobody expected."""
        return [fault for fault in self.seen if not any(p.search(fault) for p in self._allowed)]

    def watch(self, context: BrowserContext, address: str) -> None:
        """Write down what goes wrong in all pages of a context."""

        def said(message: ConsoleMessage) -> None:
            # A violated policy is an error of the console, too.
            if message.type in ("error", "warning"):
                where = message.location.get("url", "")
                self.seen.append(f"console {message.type}: {message.text} ({where})")

        def failed(error: WebError) -> None:
            self.seen.append(f"page error: {error.error}")

        def asked(request: Request) -> None:
            at = urlsplit(request.url)
            if at.scheme not in ("data", "blob") and f"{at.scheme}://{at.netloc}" != address:
                self.seen.append(f"request to another origin: {request.url}")

        context.on("console", said)
        context.on("weberror", failed)
        context.on("request", asked)
