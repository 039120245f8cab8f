"""The database: one writer at a time, readers that never wait for it.

with store.writing() as tx:          BEGIN IMMEDIATE ... COMMIT, then its changes are published
    tx.training_jobs.put(job)

with store.reading() as snapshot:    one consistent view, on this thread's own connection
    snapshot.training_jobs.get(name)
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagelet.domain.account import Account
from sagelet.domain.hosting import Endpoint, EndpointConfig, Model
from sagelet.store.api_keys import ApiKeys, MutableApiKeys
from sagelet.store.calls import Calls, MutableCalls
from sagelet.store.changes import Changes
from sagelet.store.connections import MEMORY, open_reader, open_writer, translating
from sagelet.store.endpoint_configs import ENDPOINT_CONFIGS
from sagelet.store.endpoints import ENDPOINTS
from sagelet.store.listing import Seal
from sagelet.store.models import MODELS
from sagelet.store.publications import MutablePublications, Publications
from sagelet.store.resources import Footing, MutableResources, Resources
from sagelet.store.sessions import MutableSessions, Sessions
from sagelet.store.settings import MutableSettings, Settings
from sagelet.store.tags import MutableTags, Tags
from sagelet.store.training_jobs import TRAINING_JOBS, MutableTrainingJobs, TrainingJobs


class Snapshot:
    """The tables, to read."""

    def __init__(self, footing: Footing) -> None:
        """Stand on a read connection."""
        self.models: Resources[Model] = Resources(MODELS, footing)
        self.endpoint_configs: Resources[EndpointConfig] = Resources(ENDPOINT_CONFIGS, footing)
        self.endpoints: Resources[Endpoint] = Resources(ENDPOINTS, footing)
        self.training_jobs = TrainingJobs(TRAINING_JOBS, footing)
        self.tags = Tags(footing)
        self.sessions = Sessions(footing)
        self.api_keys = ApiKeys(footing)
        self.publications = Publications(footing)
        self.calls = Calls(footing)
        self.settings = Settings(footing)


class Transaction:
    """The tables, to read and write, whole or not at all."""

    def __init__(self, footing: Footing) -> None:
        """Stand on the write connection."""
        self.models: MutableResources[Model] = MutableResources(MODELS, footing)
        self.endpoint_configs: MutableResources[EndpointConfig] = MutableResources(
            ENDPOINT_CONFIGS, footing
        )
        self.endpoints: MutableResources[Endpoint] = MutableResources(ENDPOINTS, footing)
        self.training_jobs = MutableTrainingJobs(TRAINING_JOBS, footing)
        self.tags = MutableTags(footing)
        self.sessions = MutableSessions(footing)
        self.api_keys = MutableApiKeys(footing)
        self.publications = MutablePublications(footing)
        self.calls = MutableCalls(footing)
        self.settings = MutableSettings(footing)


class Store:
    """What must survive. Every method may be called from any thread."""

    def __init__(self, path: Path | None, account: Account) -> None:
        """Open the database at `path`, making it where there is none; None keeps it in memory.

        `account` is the one in the ARNs that NotFound errors name.

        Raises:
            StateError: the file is damaged, newer than this release, or cannot be written.
            DiskFull: no space is left for it.
        """
        self.changes = Changes()
        self._path = path or MEMORY
        self._account = account
        self._write_lock = threading.RLock()
        self._readers: dict[threading.Thread, sqlite3.Connection] = {}
        self._readers_lock = threading.Lock()
        self._writer = open_writer(self._path)
        (key,) = self._writer.execute("SELECT value FROM meta WHERE key = 'token_key'").fetchone()
        self._seal = Seal(key)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction: committed at the end of the block, undone by an exception.

        Raises:
            DiskFull: no space is left; nothing was written.
            StateError: the file can no longer be used.
        """
        touched: set[str] = set()
        with self._write_lock, translating(self._path):
            connection = self._writer
            if connection.in_transaction:
                raise RuntimeError("this thread is in a transaction already")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._footing(connection, touched))
                connection.execute("COMMIT")
            except BaseException:
                _undo(connection)
                raise
        for arn in touched:
            self.changes.publish(arn)

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """Open a consistent view of what was committed last."""
        if self._path == MEMORY:
            # A second connection would see a database of its own.
            with self._write_lock:
                yield Snapshot(self._footing(self._writer, set()))
            return
        connection = self._reader()
        with translating(self._path):
            if connection.in_transaction:
                yield Snapshot(self._footing(connection, set()))
                return
            connection.execute("BEGIN")
            try:
                yield Snapshot(self._footing(connection, set()))
            finally:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection; the write-ahead log goes into the database file."""
        with self._write_lock, self._readers_lock:
            for connection in self._readers.values():
                connection.close()
            self._readers.clear()
            self._writer.close()

    def _footing(self, connection: sqlite3.Connection, touched: set[str]) -> Footing:
        return Footing(connection, self._account, self._seal, touched)

    def _reader(self) -> sqlite3.Connection:
        thread = threading.current_thread()
        connection = self._readers.get(thread)
        if connection is None:
            connection = open_reader(self._path)
            with self._readers_lock:
                for gone in [other for other in self._readers if not other.is_alive()]:
                    self._readers.pop(gone).close()
                self._readers[thread] = connection
        return connection


def _undo(connection: sqlite3.Connection) -> None:
    # SQLite has done it by itself where the disk was full.
    if connection.in_transaction:
        connection.execute("ROLLBACK")
