"""The numbered schema files: applied in order, each whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sagelet.errors import StateError

# "Sagl", which the first schema file writes at byte 68 of the database.
APPLICATION_ID = 0x5361676C

_FOLDER = Path(__file__).with_name("schema")


def schema_files() -> Mapping[int, Path]:
    """Return the schema files by number, in order."""
    files = sorted(_FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return {int(file.name[:4]): file for file in files}


def version_of(connection: sqlite3.Connection) -> int:
    """Return the number of the newest schema file that was applied."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Apply the files that the database has not seen."""
    for number, file in schema_files().items():
        if number > version_of(connection):
            _apply(connection, number, file.read_text("utf-8"))


def refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that a later release has changed, before anything touches it.

    Raises:
        StateError: its schema is newer than ours.
    """
    found, ours = version_of(connection), max(schema_files())
    if found > ours:
        raise StateError(
            path=str(path),
            problem=f"was written by a newer Sagelet (schema {found}, this release knows {ours}): "
            "install that release again, or set SAGELET_HOME to another folder",
        )


def _apply(connection: sqlite3.Connection, number: int, statements: str) -> None:
    script = f"BEGIN IMMEDIATE;\n{statements}\nPRAGMA user_version = {number};\nCOMMIT;"
    try:
        connection.executescript(script)
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
