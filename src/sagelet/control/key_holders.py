"""Who holds a scoped access key: jobs that have not ended, endpoints that have not been deleted."""

from __future__ import annotations

import threading
import time

from sagelet.environments.scoped_keys import Holder
from sagelet.store.store import Store

_FRESH_S = 1.0


class KeyHolders:
    """Tells who is at work. It may be asked from any thread, with every request that they sign."""

    def __init__(self, store: Store) -> None:
        """Look nothing up yet."""
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._at_work: frozenset[tuple[Holder, str]] = frozenset()

    def holds(self, holder: Holder, ulid: str) -> bool:
        """Say whether a job or an endpoint is at work; one that has ended is for a second more."""
        with self._lock:
            is_fresh = time.monotonic() - self._looked_at < _FRESH_S
            if not is_fresh or (holder, ulid) not in self._at_work:
                self._look()
            return (holder, ulid) in self._at_work

    def _look(self) -> None:
        with self._store.reading() as snapshot:
            jobs = [(Holder.JOB, job.ulid) for job in snapshot.training_jobs.running()]
            endpoints = [(Holder.ENDPOINT, endpoint.ulid) for endpoint in snapshot.endpoints.all()]
        self._at_work = frozenset((*jobs, *endpoints))
        self._looked_at = time.monotonic()
