"""Rows of named resources: what the four tables of them have in common."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sagelet.domain.account import Account
from sagelet.errors import AlreadyExists, NotFound
from sagelet.store import codec
from sagelet.store.listing import ListQuery, Page, Position, Seal, clauses

_APART = frozenset({"submitted"})


class Named(Protocol):
    """What every resource has."""

    @property
    def name(self) -> str:
        """Its name, unique whatever its case."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN, with the name in lower case."""
        ...

    @property
    def submitted(self) -> Mapping[str, Any]:
        """The document that created it."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it was created."""
        ...


R = TypeVar("R", bound=Named)


@dataclass(frozen=True, slots=True)
class Family(Generic[R]):
    """A table: its values, its columns beside name and ARN, and AWS's words for its rows."""

    table: str
    value: type[R]
    not_found: type[NotFound]
    arn_kind: str
    columns: Mapping[str, Callable[[R], str | int]]


@dataclass(frozen=True, slots=True)
class Footing:
    """What tables stand on: a connection, the account in their ARNs, the seal of their tokens.

    `touched` collects the ARNs that a transaction changes.
    """

    connection: sqlite3.Connection
    account: Account
    seal: Seal
    touched: set[str]


class Resources(Generic[R]):
    """A table of named resources, to read."""

    def __init__(self, family: Family[R], footing: Footing) -> None:
        """Stand on a transaction's or a snapshot's connection."""
        self._family = family
        self._on = footing

    def find(self, name: str) -> R | None:
        """Return the resource of that name, whatever its case; None when there is none."""
        found = self._select("WHERE name = ?", (name,))
        return found[0] if found else None

    def get(self, name: str) -> R:
        """Return the resource of that name, whatever its case.

        Raises:
            NotFound: there is none; the family's own subclass, with the ARN it would have.
        """
        found = self.find(name)
        if found is None:
            raise self._missing(name)
        return found

    def all(self) -> tuple[R, ...]:
        """Return every resource, in order of creation."""
        return self._select("ORDER BY created_us, name", ())

    def list(self, query: ListQuery) -> Page[R]:
        """Return one page.

        Raises:
            InvalidRequest: the token is not one of ours, or was made for another list.
        """
        table, seal = self._family.table, self._on.seal
        sql = clauses(query, seal.position(table, query))
        where = f"WHERE {' AND '.join(sql.where)}" if sql.where else ""
        rows = self._on.connection.execute(
            f"SELECT {query.sort_by}, name, value, submitted FROM {table} {where} "  # noqa: S608  names of ours; values are parameters
            f"ORDER BY {sql.order} LIMIT ?",
            (*sql.parameters, query.limit + 1),
        ).fetchall()
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        return Page(
            values=tuple(self._value(value, submitted) for _, _, value, submitted in shown),
            token=seal.token(table, query, Position(*shown[-1][:2])) if more else None,
        )

    def _in_states(self, states: Iterable[str]) -> tuple[R, ...]:
        wanted = tuple(states)
        marks = ", ".join("?" * len(wanted))
        return self._select(f"WHERE status IN ({marks}) ORDER BY created_us, name", wanted)

    def _select(self, rest: str, parameters: tuple[Any, ...]) -> tuple[R, ...]:
        rows = self._on.connection.execute(
            f"SELECT value, submitted FROM {self._family.table} {rest}",  # noqa: S608  names of ours; values are parameters
            parameters,
        )
        return tuple(self._value(value, submitted) for value, submitted in rows)

    def _value(self, value: str, submitted: str) -> R:
        raw = {**json.loads(value), "submitted": json.loads(submitted)}
        return codec.decode(self._family.value, raw)

    def _missing(self, name: str) -> NotFound:
        return self._family.not_found(name=self._on.account.arn(self._family.arn_kind, name))


class MutableResources(Resources[R]):
    """A table of named resources, to read and write."""

    def add(self, value: R) -> None:
        """Record a new resource.

        Raises:
            AlreadyExists: the name is taken.
        """
        taken = self.find(value.name)
        if taken is not None:
            raise AlreadyExists(kind=self._family.not_found.kind, name=taken.arn)
        self.put(value)

    def put(self, value: R) -> None:
        """Record a resource, in place of the one of that name if there is one."""
        row = {
            "name": value.name,
            "arn": value.arn,
            **{name: read(value) for name, read in self._family.columns.items()},
            "value": codec.to_text(codec.encode(value, leave_out=_APART)),
            "submitted": codec.to_text(codec.encode(value.submitted)),
        }
        marks = ", ".join("?" * len(row))
        changed = ", ".join(f"{name} = excluded.{name}" for name in row if name != "name")
        self._on.connection.execute(
            f"INSERT INTO {self._family.table} ({', '.join(row)}) VALUES ({marks}) "  # noqa: S608  names of ours; values are parameters
            f"ON CONFLICT (name) DO UPDATE SET {changed}",
            tuple(row.values()),
        )
        self._on.touched.add(value.arn)

    def remove(self, name: str) -> None:
        """Remove a resource and its tags.

        Raises:
            NotFound: there is none; the family's own subclass, with the ARN it would have.
        """
        arn = self.get(name).arn
        self._on.connection.execute(
            f"DELETE FROM {self._family.table} WHERE name = ?",  # noqa: S608  a name of ours
            (name,),
        )
        self._on.touched.add(arn)
