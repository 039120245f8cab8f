"""Endpoints that are public, as they are kept."""

from __future__ import annotations

import pytest

from sagelet.domain.publications import Publication, Terms
from sagelet.errors import AlreadyExists, EndpointNotFound, InvalidRequest
from sagelet.store.publications import PUBLICATIONS
from sagelet.store.store import Store
from tests.builders import a_store, an_endpoint


@pytest.fixture
def store() -> Store:
    store = a_store()
    with store.writing() as tx:
        for name in ("Sentiment", "digits"):
            tx.endpoints.add(an_endpoint(name))
    return store


def kept(store: Store) -> tuple[Publication, ...]:
    with store.reading() as snapshot:
        return snapshot.publications.all()


def put(store: Store, publication: Publication) -> None:
    with store.writing() as tx:
        tx.publications.put(publication)


def test_an_endpoint_is_public_on_the_terms_that_were_chosen_last(store: Store) -> None:
    before = store.changes.version(PUBLICATIONS)
    put(store, Publication.of("Sentiment", Terms.OPEN))
    put(store, Publication.of("sentiment", Terms.KEY, slug="texts", per_minute=5))
    assert [(each.slug, each.terms, each.per_minute) for each in kept(store)] == [
        ("texts", Terms.KEY, 5)
    ]
    assert store.changes.version(PUBLICATIONS) > before


def test_two_endpoints_do_not_share_an_address(store: Store) -> None:
    put(store, Publication.of("Sentiment", Terms.OPEN, slug="demo"))
    with pytest.raises(AlreadyExists):
        put(store, Publication.of("digits", Terms.OPEN, slug="demo"))
    put(store, Publication.of("digits", Terms.OPEN))
    assert [each.slug for each in kept(store)] == ["demo", "digits"]


def test_what_is_not_there_is_not_made_public(store: Store) -> None:
    with pytest.raises(EndpointNotFound):
        put(store, Publication.of("nothing", Terms.OPEN))
    assert kept(store) == ()


def test_it_is_private_again_once_it_is_removed_or_its_endpoint_is(store: Store) -> None:
    for name in ("Sentiment", "digits"):
        put(store, Publication.of(name, Terms.OPEN))
    with store.writing() as tx:
        assert tx.publications.remove("sentiment")
        assert not tx.publications.remove("sentiment")
        tx.endpoints.remove("digits")
    assert kept(store) == ()


@pytest.mark.parametrize("slug", ["A", "-a", "a-", "a/b", "..", "a b", "a" * 64, "é"])
def test_a_slug_is_a_plain_part_of_an_address(slug: str) -> None:
    with pytest.raises(InvalidRequest, match="address"):
        Publication.of("digits", Terms.OPEN, slug=slug)


@pytest.mark.parametrize("rate", [0, -1, 100_001])
def test_a_rate_is_a_sensible_number(rate: int) -> None:
    with pytest.raises(InvalidRequest, match="minute"):
        Publication.of("digits", Terms.OPEN, per_minute=rate)
