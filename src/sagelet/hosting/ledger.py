"""What becomes of endpoints, as the store records it. Every method blocks; call it in a thread.

An endpoint that was removed, or replaced by another of its name, is left alone.
"""

from __future__ import annotations

from dataclasses import replace

from sagelet.domain.clock import Clock
from sagelet.domain.hosting import Endpoint, EndpointStatus, Serving
from sagelet.store.store import Store, Transaction


class Ledger:
    """Writes the states of endpoints."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Write to a store."""
        self._store = store
        self._clock = clock

    def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, the oldest first."""
        with self._store.reading() as snapshot:
            return snapshot.endpoints.all()

    def coming_back(self, endpoint: Endpoint) -> Endpoint:
        """Record that an endpoint which was in service is being brought back; return it."""
        with self._store.writing() as tx:
            found = _same(tx, endpoint)
            if found is None or found.status is not EndpointStatus.IN_SERVICE:
                return found or endpoint
            moved = found.moved_to(
                EndpointStatus.UPDATING, at=self._clock.now(), failure_reason=found.failure_reason
            )
            tx.endpoints.put(moved)
            return moved

    def in_service(
        self, endpoint: Endpoint, serving: Serving, failure_reason: str | None = None
    ) -> None:
        """Record what an endpoint serves; the reason is that of an update which failed."""
        with self._store.writing() as tx:
            found = _same(tx, endpoint)
            if found is None:
                return
            if found.status is EndpointStatus.FAILED:
                found = found.moved_to(EndpointStatus.UPDATING, at=self._clock.now())
            if found.status is EndpointStatus.IN_SERVICE:
                return
            served = replace(found, serving=serving, wanted=serving)
            tx.endpoints.put(
                served.moved_to(
                    EndpointStatus.IN_SERVICE, at=self._clock.now(), failure_reason=failure_reason
                )
            )

    def failed(self, endpoint: Endpoint, reason: str) -> None:
        """Record that an endpoint serves nothing, and why; `endpoint` is as it was to change.

        One that is being deleted meanwhile stays so, unless its deletion is what failed.
        """
        with self._store.writing() as tx:
            found = _same(tx, endpoint)
            if found is None:
                return
            if found.status is EndpointStatus.DELETING and endpoint.status is not found.status:
                return
            if found.status is EndpointStatus.FAILED:
                tx.endpoints.put(replace(found, failure_reason=reason))
                return
            tx.endpoints.put(
                found.moved_to(EndpointStatus.FAILED, at=self._clock.now(), failure_reason=reason)
            )

    def removed(self, endpoint: Endpoint) -> None:
        """Forget an endpoint."""
        with self._store.writing() as tx:
            if _same(tx, endpoint) is not None:
                tx.endpoints.remove(endpoint.name)


def _same(tx: Transaction, endpoint: Endpoint) -> Endpoint | None:
    found = tx.endpoints.find(endpoint.name)
    return found if found is not None and found.ulid == endpoint.ulid else None
