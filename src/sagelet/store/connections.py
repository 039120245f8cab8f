"""Connections to the database file: opened with its checks, their errors translated.

WAL lets readers go on while the one writer writes. `synchronous=NORMAL` is enough for what is
promised, that an acknowledged write survives `kill -9`: a commit has been handed to the kernel when
it returns, and the kernel outlives the process. Only a power cut can take the last commits with it,
and even then the file is left as it was before them, never half-way.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagelet.errors import DiskFull, StateError
from sagelet.store.versions import APPLICATION_ID, bring_up_to_date, refuse_newer

MEMORY = Path(":memory:")

_BUSY_S = 5.0
_ALMOST_FULL_BYTES = 256 * 1024
_MEND = "move it aside (its -wal and -shm files too) or restore a copy, then start again"


def open_writer(path: Path) -> sqlite3.Connection:
    """Open the write connection of a database that is, or is to become, ours.

    Raises:
        StateError: it is damaged, another program's, or cannot be written; nothing was changed.
        DiskFull: no space is left for it.
    """
    with translating(path):
        if path != MEMORY:
            _make_private(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _check(connection, path)
            _prepare(connection, path)
            bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that reads only."""
    with translating(path):
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = ON")
        return connection


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours; a mistake in our own SQL stays what it is.

    Raises:
        DiskFull: the file could not grow.
        StateError: the file cannot be used.
    """
    try:
        yield
    except sqlite3.Error as error:
        known = _translated(error, path)
        if known is None:
            raise
        raise known from error


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of the database itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(path=str(path), free_bytes=_free_bytes(path)) from error
        raise StateError(path=str(path), problem=f"cannot be opened ({error.strerror})") from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION_ID:
        if owner or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StateError(path=str(path), problem=f"is another program's database: {_MEND}")
        return
    refuse_newer(connection, path)
    # Pages and records, not indexes against tables: 34 ms for 20,000 jobs in 99 MB.
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StateError(path=str(path), problem=f"is damaged ({found}): {_MEND}")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if path != MEMORY and mode != "wal":
        raise StateError(
            path=str(path),
            problem="lies where SQLite cannot keep a write-ahead log (a network file system?): "
            "set SAGELET_HOME to a folder on a local disk",
        )
    connection.execute("PRAGMA synchronous = NORMAL")


def _translated(error: sqlite3.Error, path: Path) -> StateError | DiskFull | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFull(path=str(path), free_bytes=_free_bytes(path))
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StateError(path=str(path), problem=f"is damaged ({error}): {_MEND}")
    if primary in _UNUSABLE:
        return StateError(path=str(path), problem=f"{_UNUSABLE[primary]} ({error})")
    return None


_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; see its owner and mode",
    sqlite3.SQLITE_PERM: "cannot be opened; see its owner and mode",
    sqlite3.SQLITE_READONLY: "cannot be written; see its owner and mode",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_PROTOCOL: "cannot be locked; it must lie on a local disk",
    sqlite3.SQLITE_NOLFS: "cannot grow any larger",
    sqlite3.SQLITE_BUSY: "is held by another program",
    sqlite3.SQLITE_LOCKED: "is held by another program",
}


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path.parent).free


def _is_full(path: Path) -> bool:
    # The shared-memory file's growth fails as an I/O error, not as SQLITE_FULL.
    return _free_bytes(path) < _ALMOST_FULL_BYTES
