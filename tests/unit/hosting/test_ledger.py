"""What becomes of endpoints, as the store records it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sagelet.domain.hosting import Endpoint, EndpointStatus, Serving
from sagelet.hosting.ledger import Ledger
from sagelet.store.store import Store
from tests.builders import a_serving, a_store, an_endpoint, an_endpoint_config
from tests.fakes import HeldClock

OTHER = a_serving(an_endpoint_config("other"))


class Book:
    """A ledger over a store with one endpoint."""

    def __init__(
        self,
        status: EndpointStatus,
        *,
        wanted: Serving | None = None,
        serving: Serving | None = None,
    ) -> None:
        self.store: Store = a_store()
        self.endpoint = an_endpoint(status=status, wanted=wanted, serving=serving)
        with self.store.writing() as tx:
            tx.endpoints.add(self.endpoint)
        self.ledger = Ledger(self.store, HeldClock())

    @property
    def now(self) -> Endpoint:
        with self.store.reading() as snapshot:
            return snapshot.endpoints.get("sentiment")


def test_a_created_endpoint_serves_what_it_wanted() -> None:
    book = Book(EndpointStatus.CREATING)
    book.ledger.in_service(book.endpoint, book.endpoint.wanted)
    assert book.now.status is EndpointStatus.IN_SERVICE
    assert book.now.serving == book.endpoint.wanted
    assert book.now.failure_reason is None


def test_a_failed_update_is_in_service_on_the_old_configuration_with_a_reason() -> None:
    book = Book(EndpointStatus.UPDATING, wanted=OTHER, serving=a_serving())
    book.ledger.in_service(book.endpoint, a_serving(), "it did not load")
    assert book.now.status is EndpointStatus.IN_SERVICE
    assert book.now.config_name == "sentiment-1"
    assert book.now.wanted == a_serving()
    assert book.now.failure_reason == "it did not load"


def test_a_failed_endpoint_that_was_repaired_is_in_service() -> None:
    book = Book(EndpointStatus.FAILED)
    book.ledger.in_service(book.endpoint, book.endpoint.wanted)
    assert book.now.status is EndpointStatus.IN_SERVICE


def test_a_failure_has_its_reason_and_a_second_one_the_later_reason() -> None:
    book = Book(EndpointStatus.CREATING)
    book.ledger.failed(book.endpoint, "first")
    book.ledger.failed(book.endpoint, "second")
    assert (book.now.status, book.now.failure_reason) == (EndpointStatus.FAILED, "second")


def test_an_endpoint_in_service_comes_back_through_updating() -> None:
    book = Book(EndpointStatus.IN_SERVICE)
    assert book.ledger.coming_back(book.endpoint).status is EndpointStatus.UPDATING
    assert book.now.status is EndpointStatus.UPDATING


@pytest.mark.parametrize("status", [EndpointStatus.CREATING, EndpointStatus.UPDATING])
def test_an_endpoint_that_was_on_its_way_stays_on_it(status: EndpointStatus) -> None:
    book = Book(status)
    assert book.ledger.coming_back(book.endpoint) == book.endpoint


def test_an_endpoint_that_was_deleted_and_made_again_is_left_alone() -> None:
    book = Book(EndpointStatus.CREATING)
    gone = replace(book.endpoint, ulid="another")
    book.ledger.failed(gone, "x")
    book.ledger.in_service(gone, gone.wanted)
    book.ledger.removed(gone)
    assert book.now == book.endpoint


def test_an_endpoint_that_is_being_deleted_does_not_fail() -> None:
    book = Book(EndpointStatus.DELETING)
    book.ledger.failed(replace(book.endpoint, status=EndpointStatus.UPDATING), "x")
    assert book.now.status is EndpointStatus.DELETING
    book.ledger.removed(book.endpoint)
    assert book.ledger.all() == ()


def test_a_deletion_that_failed_may_be_tried_again() -> None:
    book = Book(EndpointStatus.DELETING)
    book.ledger.failed(book.endpoint, "Internal failure of the host: x")
    assert book.now.status is EndpointStatus.FAILED
    assert book.now.failure_reason == "Internal failure of the host: x"
