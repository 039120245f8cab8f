"""The table of tags, by ARN. A resource that is removed takes its tags along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sagelet.store.resources import Footing


class Tags:
    """Tags, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def of(self, arn: str) -> dict[str, str]:
        """Return a resource's tags, in order of their keys."""
        rows = self._on.connection.execute(
            "SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)
        )
        return dict(rows.fetchall())


class MutableTags(Tags):
    """Tags, to read and write."""

    def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of a resource; its others stay."""
        self._on.connection.executemany(
            "INSERT INTO tags (arn, key, value) VALUES (?, ?, ?) "
            "ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value",
            [(arn, key, value) for key, value in tags.items()],
        )

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags of a resource; keys that it does not have are passed over."""
        self._on.connection.executemany(
            "DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys]
        )
