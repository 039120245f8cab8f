"""Conditions on what is stored: before it is read, copied, replaced or removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sagelet.artifacts.stored import StoredObject
from sagelet.buckets.exchange import Document
from sagelet.errors import KeyNotFound
from sagelet.wire.faults import Fault

Check = Callable[[StoredObject | None], None]


def failed(condition: str) -> Fault:
    """Return the fault for a condition that does not hold."""
    return Fault(
        "PreconditionFailed",
        412,
        "At least one of the pre-conditions you specified did not hold",
        {"Condition": condition},
    )


@dataclass(frozen=True, slots=True)
class ReadConditions:
    """HTTP's four conditions (RFC 9110, section 13); `prefix` is the members' where one copies."""

    if_match: str | None
    if_none_match: str | None
    if_modified_since: datetime | None
    if_unmodified_since: datetime | None

    @classmethod
    def of(cls, document: Document, prefix: str = "") -> ReadConditions:
        """Read them from a request."""
        return cls(
            document.get(f"{prefix}IfMatch"),
            document.get(f"{prefix}IfNoneMatch"),
            document.get(f"{prefix}IfModifiedSince"),
            document.get(f"{prefix}IfUnmodifiedSince"),
        )

    def check(self, stored: StoredObject, now: datetime) -> bool:
        """Tell whether the object is news to who asks; PreconditionFailed where it is not it.

        An ETag outweighs the date of the same sense, and a date in the future says nothing.
        """
        if self.if_match is not None:
            if not _names(self.if_match, stored.etag):
                raise failed("If-Match")
        elif self.if_unmodified_since is not None and stored.modified > self.if_unmodified_since:
            raise failed("If-Unmodified-Since")
        if self.if_none_match is not None:
            return not _names(self.if_none_match, stored.etag)
        since = self.if_modified_since
        return since is None or since > now or stored.modified > since


def write_check(document: Document) -> Check | None:
    """Return what must hold of the stored object for a write or a delete to happen."""
    match, none_match = document.get("IfMatch"), document.get("IfNoneMatch")
    if match is None and none_match is None:
        return None
    if none_match not in (None, "*"):
        raise Fault(
            "NotImplemented",
            501,
            "A header you provided implies functionality that is not implemented",
            {"Header": "If-None-Match"},
        )

    def check(stored: StoredObject | None) -> None:
        if none_match is not None and stored is not None:
            raise failed("If-None-Match")
        if match is None:
            return
        if stored is None:
            raise KeyNotFound(name=str(document["Key"]))
        if not _names(match, stored.etag):
            raise failed("If-Match")

    return check


def _names(condition: str, etag: str) -> bool:
    """Tell whether a list of ETags, quoted or not, holds this one."""
    if condition.strip() == "*":
        return True
    given = [one.strip().removeprefix("W/").strip('"') for one in condition.split(",")]
    return etag in given
