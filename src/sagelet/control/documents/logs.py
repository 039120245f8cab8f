"""Requests of CloudWatch Logs, whose members begin in lower case."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from sagelet.control.context import Document
from sagelet.errors import InvalidRequest
from sagelet.journal.pages import StreamOrder
from sagelet.worker.loglines import Record

_MAX_DESCRIBED = 50
_MAX_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Which groups: those of `names`, or a page of those with a prefix or a part in their names."""

    names: tuple[str, ...] | None
    prefix: str
    contains: str
    limit: int
    token: str | None


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """Which page of a group's streams."""

    group: str
    prefix: str
    order: StreamOrder
    descending: bool
    limit: int
    token: str | None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which page of one stream, or of a group's `streams` (None for all with the prefix)."""

    group: str
    start_ms: int | None
    end_ms: int | None
    limit: int
    token: str | None
    from_head: bool
    streams: tuple[str, ...] | None
    prefix: str
    pattern: str


def group_of(document: Document) -> str:
    """Read which group is meant, by its name or its ARN.

    Raises:
        InvalidRequest: both stand there, or neither.
    """
    name, identifier = document.get("logGroupName"), document.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise InvalidRequest(message="Give either logGroupName or logGroupIdentifier.")
    return _name_in(str(name if name is not None else identifier))


def stream_of(document: Document) -> str:
    """Read which stream is meant."""
    name: str = document["logStreamName"]
    return name


def read_records(document: Document) -> list[Record]:
    """Read the events of PutLogEvents.

    Raises:
        InvalidRequest: they are not in the order of their times.
    """
    records = [(event["timestamp"], event["message"]) for event in document["logEvents"]]
    if any(later[0] < earlier[0] for earlier, later in pairwise(records)):
        raise InvalidRequest(
            message="Log events in a single PutLogEvents request must be in chronological order."
        )
    return records


def read_group_query(document: Document) -> GroupQuery:
    """Read a DescribeLogGroups request.

    Raises:
        InvalidRequest: it has both a prefix and a pattern.
    """
    prefix, contains = document.get("logGroupNamePrefix"), document.get("logGroupNamePattern")
    if prefix and contains:
        raise InvalidRequest(
            message="Give either logGroupNamePrefix or logGroupNamePattern, not both."
        )
    identifiers = document.get("logGroupIdentifiers")
    return GroupQuery(
        names=tuple(_name_in(one) for one in identifiers) if identifiers else None,
        prefix=prefix or "",
        contains=contains or "",
        limit=document.get("limit", _MAX_DESCRIBED),
        token=document.get("nextToken"),
    )


def read_stream_query(document: Document) -> StreamQuery:
    """Read a DescribeLogStreams request.

    Raises:
        InvalidRequest: it orders by the time of the last event, and has a prefix.
    """
    by_event = document.get("orderBy") == "LastEventTime"
    prefix = document.get("logStreamNamePrefix", "")
    if by_event and prefix:
        raise InvalidRequest(message="Cannot order by LastEventTime with a logStreamNamePrefix.")
    return StreamQuery(
        group=group_of(document),
        prefix=prefix,
        order=StreamOrder.LAST_EVENT if by_event else StreamOrder.NAME,
        descending=document.get("descending", False),
        limit=document.get("limit", _MAX_DESCRIBED),
        token=document.get("nextToken"),
    )


def read_event_query(document: Document) -> EventQuery:
    """Read a GetLogEvents or FilterLogEvents request.

    Raises:
        InvalidRequest: it names streams and has a prefix, too.
    """
    streams, prefix = document.get("logStreamNames"), document.get("logStreamNamePrefix")
    if streams and prefix:
        raise InvalidRequest(message="Give either logStreamNames or logStreamNamePrefix, not both.")
    return EventQuery(
        group=group_of(document),
        start_ms=document.get("startTime"),
        end_ms=document.get("endTime"),
        limit=document.get("limit", _MAX_EVENTS),
        token=document.get("nextToken"),
        from_head=document.get("startFromHead", False),
        streams=tuple(streams) if streams else None,
        prefix=prefix or "",
        pattern=document.get("filterPattern", ""),
    )


def _name_in(identifier: str) -> str:
    """Return the group that an ARN names; a name is returned as it is."""
    if not identifier.startswith("arn:"):
        return identifier
    return identifier.partition(":log-group:")[2]
