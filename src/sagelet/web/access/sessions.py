"""Browsers that are signed in: a random token in a cookie, of which only the digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

COOKIE = "sagelet_session"
LASTS_S = 7 * 24 * 3600
ONE_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in; `csrf` is what its forms carry."""

    csrf: str


class Sessions:
    """The sessions of a home."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Begin with none."""
        self._now = now
        self._ends: dict[str, float] = {}

    def begin(self) -> str:
        """Return the token of a new session."""
        token = secrets.token_urlsafe(32)
        self._ends[_digest(token)] = self._now() + LASTS_S
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a token, if it is one and has not ended."""
        if self._ends.get(_digest(token), 0.0) <= self._now():
            return None
        return Session(csrf=hmac.digest(token.encode(), b"csrf", "sha256").hex())

    def end(self, token: str) -> None:
        """Sign a browser out."""
        self._ends.pop(_digest(token), None)


class OneTimeTokens:
    """What signs a browser in, once, within a minute: the CLI fetches one and opens the browser."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._now = now
        self._ends: dict[str, float] = {}

    def issue(self) -> str:
        """Return a new one."""
        now = self._now()
        self._ends = {digest: end for digest, end in self._ends.items() if end > now}
        token = secrets.token_urlsafe(24)
        self._ends[_digest(token)] = now + ONE_TIME_S
        return token

    def redeem(self, token: str) -> bool:
        """Say whether a token is good; it is not, from now on."""
        return self._ends.pop(_digest(token), 0.0) > self._now()


def _digest(token: str) -> str:
    # Tokens have 192 random bits and more: nothing slower than SHA-256 is needed.
    return hashlib.sha256(token.encode()).hexdigest()
