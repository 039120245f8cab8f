"""The table of browsers that are signed in: a digest, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.store.resources import Footing

SESSIONS = "sessions"
"""What `Changes` counts the changes of this table by."""


class Sessions:
    """Sessions, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def all(self) -> Mapping[str, int]:
        """Return when each ends, in microseconds since the epoch, by its digest."""
        return dict(self._on.connection.execute("SELECT digest, ends_us FROM sessions").fetchall())


class MutableSessions(Sessions):
    """Sessions, to read and write."""

    def put(self, digest: str, ends_us: int) -> None:
        """Record one, or when it ends now."""
        self._on.connection.execute(
            "INSERT OR REPLACE INTO sessions (digest, ends_us) VALUES (?, ?)", (digest, ends_us)
        )
        self._on.touched.add(SESSIONS)

    def remove(self, digest: str) -> None:
        """Forget one, if it is there."""
        self._on.connection.execute("DELETE FROM sessions WHERE digest = ?", (digest,))
        self._on.touched.add(SESSIONS)

    def remove_ended(self, at_us: int) -> None:
        """Forget those that have ended."""
        self._on.connection.execute("DELETE FROM sessions WHERE ends_us <= ?", (at_us,))
        self._on.touched.add(SESSIONS)

    def clear(self) -> int:
        """Forget all; return how many that were."""
        self._on.touched.add(SESSIONS)
        return self._on.connection.execute("DELETE FROM sessions").rowcount
