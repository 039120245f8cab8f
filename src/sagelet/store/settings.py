"""The table of what the owner has chosen, by key."""

from __future__ import annotations

from sagelet.store.resources import Footing


class Settings:
    """What was chosen, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def find(self, key: str) -> str | None:
        """Return what was chosen; None where nothing was."""
        row = self._on.connection.execute(
            "SELECT value FROM settings WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else str(row[0])


class MutableSettings(Settings):
    """What was chosen, to read and write."""

    def put(self, key: str, value: str) -> None:
        """Choose."""
        self._on.connection.execute(
            "INSERT INTO settings (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )
