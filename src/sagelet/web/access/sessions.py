"""Browsers that are signed in: a random token in a cookie, of which only the digest is kept.

A session belongs to the home: it outlives the daemon. The cookie's name has the daemon's port in
it, for browsers keep one jar of cookies for all ports of a host.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from sagelet.domain.clock import Clock
from sagelet.store.sessions import SESSIONS
from sagelet.store.store import Store

LASTS_S = 7 * 24 * 3600
ONE_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in; `csrf` is what its forms carry."""

    csrf: str


def cookie_of(address: str) -> str:
    """Return the name of the cookie that the daemon at an address signs browsers in with."""
    port = urlsplit(address).port
    return "sagelet_session" if port is None else f"sagelet_session_{port}"


class Sessions:
    """The sessions of a home, known from memory until the table changes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read nothing yet."""
        self._store = store
        self._clock = clock
        self._ends: Mapping[str, int] = {}
        self._version = -1

    def begin(self, current: str = "") -> str:
        """Return the token of a new session; `current`, where it is one, begins anew.

        So the forms of pages that are open stay good. What is no session's token is never taken.
        """
        token = current if self.find(current) is not None else secrets.token_urlsafe(32)
        now = self._now_us()
        with self._store.writing() as tx:
            tx.sessions.remove_ended(now)
            tx.sessions.put(digest_of(token), now + LASTS_S * 1_000_000)
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a token, if it is one and has not ended."""
        version = self._store.changes.version(SESSIONS)
        if version != self._version:
            with self._store.reading() as snapshot:
                self._ends, self._version = snapshot.sessions.all(), version
        # Where a digest lies in a table tells nothing of the token that it was made of.
        if self._ends.get(digest_of(token), 0) <= self._now_us():
            return None
        return Session(csrf=hmac.digest(token.encode(), b"csrf", "sha256").hex())

    def end(self, token: str) -> None:
        """Sign a browser out."""
        with self._store.writing() as tx:
            tx.sessions.remove(digest_of(token))

    def end_all(self) -> int:
        """Sign every browser out; return how many that were."""
        with self._store.writing() as tx:
            return tx.sessions.clear()

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1_000_000)


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
        self._ends[digest_of(token)] = now + ONE_TIME_S
        return token

    def redeem(self, token: str) -> bool:
        """Say whether a token is good; it is not, from now on."""
        return self._ends.pop(digest_of(token), 0.0) > self._now()


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    # Tokens have 190 random bits and more: nothing slower than SHA-256 is needed.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
