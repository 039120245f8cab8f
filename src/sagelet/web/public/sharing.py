"""Which endpoints are public, known from memory."""

from __future__ import annotations

from collections.abc import Mapping

from sagelet.domain.publications import Publication, Terms
from sagelet.store.changes import News
from sagelet.store.publications import PUBLICATIONS
from sagelet.store.store import Store

_OF_ENDPOINTS = ":endpoint/"


class Sharing:
    """The publications of a home; what changes there holds from the next request on."""

    def __init__(self, store: Store) -> None:
        """Read nothing yet."""
        self._store = store
        self._by_slug: Mapping[str, Publication] = {}
        self._by_endpoint: Mapping[str, Publication] = {}
        self._is_old = True
        store.changes.observe(self._changed)

    def all(self) -> tuple[Publication, ...]:
        """Return each, by its slug."""
        self._read()
        return tuple(self._by_slug.values())

    def by_slug(self, slug: str) -> Publication | None:
        """Return what is public by that slug."""
        self._read()
        return self._by_slug.get(slug)

    def of(self, endpoint: str) -> Publication | None:
        """Return on what terms an endpoint is public, if it is; its name is told by no case."""
        self._read()
        return self._by_endpoint.get(endpoint.lower())

    def named(self, text: str) -> Publication | None:
        """Return what is public by a slug or, where that is none, by an endpoint's name."""
        return self.by_slug(text) or self.of(text)

    def open_to_visitors(self, endpoint: str) -> int | None:
        """Return how often a minute anybody may ask an endpoint; None: not at all."""
        found = self.of(endpoint)
        return found.per_minute if found is not None and found.terms is Terms.OPEN else None

    def publish(self, publication: Publication) -> None:
        """Make an endpoint public, or change on what terms it is.

        Raises:
            EndpointNotFound: there is no such endpoint.
            AlreadyExists: another one has the slug.
        """
        with self._store.writing() as tx:
            tx.publications.put(publication)

    def withdraw(self, endpoint: str) -> bool:
        """Make an endpoint private again; False where it was."""
        with self._store.writing() as tx:
            return tx.publications.remove(endpoint)

    def _changed(self, arn: str, _news: News) -> None:
        # What is public goes with its endpoint, without a word of its own.
        if arn == PUBLICATIONS or _OF_ENDPOINTS in arn:
            self._is_old = True

    def _read(self) -> None:
        if not self._is_old:
            return
        self._is_old = False  # before it is read: what changes meanwhile makes it old again
        with self._store.reading() as snapshot:
            found = snapshot.publications.all()
        self._by_slug = {each.slug: each for each in found}
        self._by_endpoint = {each.endpoint.lower(): each for each in found}
