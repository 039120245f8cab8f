"""The table of API keys: what may be shown of each, and the digest of the whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sagelet.domain.api_keys import ApiKey
from sagelet.store import codec
from sagelet.store.resources import Footing

API_KEYS = "api_keys"
"""What `Changes` counts the changes of this table by; a use is none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_APART = frozenset({"id", "last_used_at"})


class ApiKeys:
    """API keys, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def all(self) -> tuple[tuple[ApiKey, str], ...]:
        """Return each with its digest."""
        rows = self._on.connection.execute("SELECT id, digest, value, last_used_us FROM api_keys")
        return tuple((_key(key_id, value, used), digest) for key_id, digest, value, used in rows)


class MutableApiKeys(ApiKeys):
    """API keys, to read and write."""

    def add(self, key: ApiKey, digest: str) -> None:
        """Record a new one."""
        value = codec.to_text(codec.encode(key, leave_out=_APART))
        self._on.connection.execute(
            "INSERT INTO api_keys (id, digest, value) VALUES (?, ?, ?)", (key.id, digest, value)
        )
        self._on.touched.add(API_KEYS)

    def remove(self, key_id: str) -> bool:
        """Forget one; False where there is none of that id."""
        self._on.touched.add(API_KEYS)
        cursor = self._on.connection.execute("DELETE FROM api_keys WHERE id = ?", (key_id,))
        return cursor.rowcount > 0

    def used(self, key_id: str, at: datetime) -> None:
        """Record when one was used last."""
        self._on.connection.execute(
            "UPDATE api_keys SET last_used_us = ? WHERE id = ?",
            ((at - _EPOCH) // _MICROSECOND, key_id),
        )


def _key(key_id: str, value: str, last_used_us: int | None) -> ApiKey:
    key = codec.decode(ApiKey, {**json.loads(value), "id": key_id})
    if last_used_us is None:
        return key
    return replace(key, last_used_at=_EPOCH + last_used_us * _MICROSECOND)
