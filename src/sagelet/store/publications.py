"""The table of endpoints that are public."""

from __future__ import annotations

import json

from sagelet.domain.publications import Publication
from sagelet.errors import AlreadyExists, EndpointNotFound
from sagelet.store import codec
from sagelet.store.resources import Footing

PUBLICATIONS = "publications"
"""What `Changes` counts the changes of this table by."""

_APART = frozenset({"endpoint", "slug"})


class Publications:
    """What is public, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._on = footing

    def all(self) -> tuple[Publication, ...]:
        """Return each, by its slug."""
        rows = self._on.connection.execute(
            "SELECT endpoint, slug, value FROM publications ORDER BY slug"
        )
        return tuple(
            codec.decode(Publication, {**json.loads(value), "endpoint": endpoint, "slug": slug})
            for endpoint, slug, value in rows
        )


class MutablePublications(Publications):
    """What is public, to read and write."""

    def put(self, publication: Publication) -> None:
        """Make an endpoint public, or change on what terms it is.

        Raises:
            EndpointNotFound: there is no such endpoint.
            AlreadyExists: another one has the slug.
        """
        connection = self._on.connection
        name = publication.endpoint
        if not connection.execute("SELECT 1 FROM endpoints WHERE name = ?", (name,)).fetchone():
            raise EndpointNotFound(name)
        taken = "SELECT 1 FROM publications WHERE slug = ? AND endpoint <> ?"
        if connection.execute(taken, (publication.slug, name)).fetchone():
            raise AlreadyExists(kind="public page", name=publication.slug)
        value = codec.to_text(codec.encode(publication, leave_out=_APART))
        connection.execute(
            "INSERT INTO publications (endpoint, slug, value) VALUES (?, ?, ?) ON CONFLICT "
            "(endpoint) DO UPDATE SET slug = excluded.slug, value = excluded.value",
            (name, publication.slug, value),
        )
        self._on.touched.add(PUBLICATIONS)

    def remove(self, endpoint: str) -> bool:
        """Make an endpoint private again; False where it was."""
        self._on.touched.add(PUBLICATIONS)
        statement = "DELETE FROM publications WHERE endpoint = ?"
        return self._on.connection.execute(statement, (endpoint,)).rowcount > 0
