"""One page of a list: the filters and orders that AWS's List operations have, as data.

Pages are found by position (the sort column and the name of the last row), not by counting: a page
costs the same wherever it is, and rows that come or go in the meantime move nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sagelet.errors import InvalidRequest

V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEAL_BYTES = 16


class SortKey(StrEnum):
    """What a list may be sorted by; the value is the column."""

    NAME = "name"
    CREATED = "created_us"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which rows, in which order, how many, and after which page."""

    name_contains: str = ""
    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    sort_by: SortKey = SortKey.CREATED
    descending: bool = True
    limit: int = 10
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """Some values, and the token that asks for those after them; None when there are none."""

    values: tuple[V, ...]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the last row's sort column, and its name."""

    key: str | int
    name: str


@dataclass(frozen=True, slots=True)
class Clauses:
    """Parts of a SELECT: conditions, their parameters, and the order."""

    where: tuple[str, ...]
    order: str
    parameters: tuple[Any, ...] = field(default=())


def microseconds(at: datetime) -> int:
    """Return a time as whole microseconds since the epoch."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def clauses(query: ListQuery, after: Position | None) -> Clauses:
    """Return the SQL of a query; every value is a parameter, every name is ours."""
    times = {
        "created_us >= ?": query.created_after,
        "created_us < ?": query.created_before,
        "modified_us >= ?": query.modified_after,
        "modified_us < ?": query.modified_before,
    }
    conditions: dict[str, tuple[Any, ...]] = {
        condition: (microseconds(at),) for condition, at in times.items() if at is not None
    }
    if query.name_contains:
        conditions["instr(lower(name), lower(?)) > 0"] = (query.name_contains,)
    if query.status is not None:
        conditions["status = ?"] = (query.status,)
    if after is not None:
        sign = "<" if query.descending else ">"
        conditions[f"({query.sort_by}, name) {sign} (?, ?)"] = (after.key, after.name)
    way = "DESC" if query.descending else "ASC"
    return Clauses(
        where=tuple(conditions),
        order=f"{query.sort_by} {way}, name {way}",
        parameters=tuple(value for values in conditions.values() for value in values),
    )


class Seal:
    """Makes pagination tokens that only this state directory's server can have made."""

    def __init__(self, key: bytes) -> None:
        """Take the key, which the database holds."""
        self._key = key

    def token(self, table: str, query: ListQuery, position: Position) -> str:
        """Return the token for what follows `position` in this very list."""
        payload = json.dumps([position.key, position.name]).encode()
        return base64.urlsafe_b64encode(self._mac(table, query, payload) + payload).decode()

    def position(self, table: str, query: ListQuery) -> Position | None:
        """Return where the query's token points; None when it has none.

        Raises:
            InvalidRequest: the token is not one of ours, or was made for another list.
        """
        if query.token is None:
            return None
        try:
            raw = base64.b64decode(query.token, altchars=b"-_", validate=True)
        except ValueError as error:
            raise _not_ours() from error
        mac, payload = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if not hmac.compare_digest(mac, self._mac(table, query, payload)):
            raise _not_ours()
        key, name = json.loads(payload)
        return Position(key, name)

    def _mac(self, table: str, query: ListQuery, payload: bytes) -> bytes:
        # A page's size may change from page to page; filters and order may not.
        asked = repr((table, astuple(replace(query, limit=0, token=None)))).encode()
        return hashlib.blake2b(
            asked + b"\0" + payload, key=self._key, digest_size=_SEAL_BYTES
        ).digest()


def _not_ours() -> InvalidRequest:
    return InvalidRequest(
        message="The NextToken is not valid: it was changed, or it belongs to another request."
    )
