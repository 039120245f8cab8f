"""The table of calls, and of the bodies that they name; the bodies themselves are files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sagelet.domain.calls import CallSummary
from sagelet.store import codec
from sagelet.store.resources import Footing

_UNUSED = (
    "WHERE NOT EXISTS (SELECT 1 FROM calls WHERE payload = digest) "
    "AND NOT EXISTS (SELECT 1 FROM calls WHERE answer = digest)"
)


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, and the names of its bodies; no name where one is not kept."""

    call: CallSummary
    payload: str
    answer: str


class Calls:
    """Calls, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def recent(self, endpoint: str, *, limit: int, before: str | None) -> tuple[CallSummary, ...]:
        """Return the latest calls of an endpoint, the newest first."""
        rows = self._on.connection.execute(
            "SELECT value FROM calls WHERE endpoint = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (endpoint, before or "~", limit),
        )
        return tuple(_call(value) for (value,) in rows)

    def find(self, endpoint: str, call_id: str) -> CallRow | None:
        """Return one call of an endpoint."""
        row = self._on.connection.execute(
            "SELECT value, payload, answer FROM calls WHERE endpoint = ? AND id = ?",
            (endpoint, call_id),
        ).fetchone()
        return None if row is None else CallRow(_call(row[0]), row[1], row[2])

    def good(self, endpoint: str, limit: int) -> tuple[CallRow, ...]:
        """Return the latest call of each kept payload that was answered well, the newest first."""
        rows = self._on.connection.execute(
            "SELECT value, payload, answer, max(id) AS latest FROM calls "
            "WHERE endpoint = ? AND status BETWEEN 100 AND 399 AND payload != '' "
            "GROUP BY payload ORDER BY latest DESC LIMIT ?",
            (endpoint, limit),
        )
        return tuple(CallRow(_call(value), payload, answer) for value, payload, answer, _ in rows)

    def count(self) -> int:
        """Return how many there are, of all endpoints."""
        return int(self._on.connection.execute("SELECT count(*) FROM calls").fetchone()[0])

    def body_bytes(self) -> int:
        """Return the size of all bodies together."""
        return int(
            self._on.connection.execute(
                "SELECT coalesce(sum(bytes), 0) FROM call_bodies"
            ).fetchone()[0]
        )

    def bodies(self) -> frozenset[str]:
        """Return the names of all bodies."""
        rows = self._on.connection.execute("SELECT digest FROM call_bodies")
        return frozenset(digest for (digest,) in rows)


class MutableCalls(Calls):
    """Calls, to read and write."""

    def add(self, row: CallRow) -> bool:
        """Add a call; False, and nothing is added, where its endpoint is gone."""
        call = row.call
        cursor = self._on.connection.execute(
            "INSERT OR REPLACE INTO calls (endpoint, id, status, payload, answer, value) "
            "SELECT ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM endpoints WHERE name = ?)",
            (
                call.endpoint,
                call.id,
                call.status,
                row.payload,
                row.answer,
                codec.to_text(codec.encode(call)),
                call.endpoint,
            ),
        )
        return cursor.rowcount > 0

    def add_body(self, digest: str, size: int) -> int:
        """Add a body; return its size, or 0 where it is there already."""
        added = self._on.connection.execute(
            "INSERT OR IGNORE INTO call_bodies (digest, bytes) VALUES (?, ?)", (digest, size)
        ).rowcount
        return size if added else 0

    def keep_latest(self, endpoint: str, kept: int) -> frozenset[str]:
        """Forget all calls of an endpoint but so many of the latest; return their bodies."""
        return self._remove(
            "endpoint = ? AND id <= "
            "(SELECT id FROM calls WHERE endpoint = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (endpoint, endpoint, kept),
        )

    def remove_oldest(self, count: int) -> frozenset[str] | None:
        """Forget the oldest calls, whosever they are; return their bodies, None if none is left."""
        if not self.count():
            return None
        return self._remove("id IN (SELECT id FROM calls ORDER BY id LIMIT ?)", (count,))

    def clear(self, endpoint: str | None) -> int:
        """Forget the calls of an endpoint, or all; return how many there were."""
        if endpoint is None:
            return self._on.connection.execute("DELETE FROM calls").rowcount
        return self._on.connection.execute(
            "DELETE FROM calls WHERE endpoint = ?", (endpoint,)
        ).rowcount

    def remove_unused_bodies(self, among: Iterable[str] | None = None) -> dict[str, int]:
        """Forget the bodies that no call has any more, of some or of all; return their sizes."""
        unused: dict[str, int] = {}
        query = f"SELECT digest, bytes FROM call_bodies {_UNUSED}"  # noqa: S608  words of ours
        if among is None:
            unused.update(self._on.connection.execute(query).fetchall())
        else:
            for digest in among:
                found = self._on.connection.execute(f"{query} AND digest = ?", (digest,))
                unused.update(found.fetchall())
        self._on.connection.executemany(
            "DELETE FROM call_bodies WHERE digest = ?", [(digest,) for digest in unused]
        )
        return unused

    def _remove(self, where: str, parameters: tuple[str | int, ...]) -> frozenset[str]:
        rows = self._on.connection.execute(
            f"SELECT payload, answer FROM calls WHERE {where}",  # noqa: S608  words of ours
            parameters,
        ).fetchall()
        self._on.connection.execute(f"DELETE FROM calls WHERE {where}", parameters)  # noqa: S608  words of ours
        return frozenset(digest for row in rows for digest in row if digest)


def _call(value: str) -> CallSummary:
    return codec.decode(CallSummary, json.loads(value))
