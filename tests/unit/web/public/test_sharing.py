"""Publications are known from memory, and what changes holds at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.domain.publications import Publication, Terms
from sagelet.errors import AlreadyExists, EndpointNotFound
from sagelet.web.public.sharing import Sharing
from tests.control_bench import Bench, a_bench


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    bench = a_bench(tmp_path)
    await bench.create_endpoint("Sentiment")
    await bench.ask("CreateEndpoint", EndpointName="other", EndpointConfigName="sentiment-1")
    return bench


async def test_an_endpoint_is_found_by_slug_and_by_name(bench: Bench) -> None:
    sharing = Sharing(bench.store)
    assert sharing.all() == ()
    sharing.publish(Publication.of("Sentiment", Terms.OPEN, slug="moods", per_minute=7))
    found = sharing.by_slug("moods")
    assert found is not None
    assert found == sharing.of("sentiment") == sharing.named("SENTIMENT") == sharing.named("moods")
    assert sharing.by_slug("sentiment") is None
    assert sharing.open_to_visitors("sentiment") == 7
    assert sharing.withdraw("Sentiment")
    assert not sharing.withdraw("Sentiment")
    assert sharing.named("moods") is None


async def test_a_slug_goes_before_another_endpoints_name(bench: Bench) -> None:
    sharing = Sharing(bench.store)
    sharing.publish(Publication.of("Sentiment", Terms.OPEN, slug="other"))
    sharing.publish(Publication.of("other", Terms.KEY, slug="another"))
    found = sharing.named("other")
    assert found is not None
    assert found.endpoint == "Sentiment"
    assert sharing.open_to_visitors("other") is None
    with pytest.raises(AlreadyExists):
        sharing.publish(Publication.of("other", Terms.OPEN, slug="other"))
    with pytest.raises(EndpointNotFound):
        sharing.publish(Publication.of("nowhere", Terms.OPEN))


async def test_what_another_part_writes_is_seen(bench: Bench) -> None:
    sharing, another = Sharing(bench.store), Sharing(bench.store)
    assert sharing.all() == ()
    another.publish(Publication.of("Sentiment", Terms.OPEN))
    assert len(sharing.all()) == 1
    with bench.store.writing() as tx:
        tx.endpoints.remove("Sentiment")
    assert sharing.all() == ()
