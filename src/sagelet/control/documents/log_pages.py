"""Log groups, streams and events in responses."""

from __future__ import annotations

from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.journal.pages import (
    FilterPage,
    GroupInfo,
    GroupPage,
    LogEvent,
    LogPage,
    StreamInfo,
    StreamPage,
)


def show_put(*, kept: int, given: int) -> Document:
    """Return the answer to PutLogEvents; the token is there for clients that expect one."""
    shown: Document = {"nextSequenceToken": "0" * 56}
    if kept < given:
        shown["rejectedLogEventsInfo"] = {"tooNewLogEventStartIndex": kept}
    return shown


def show_groups(page: GroupPage, *, account: Account) -> Document:
    """Return groups as DescribeLogGroups does."""
    shown: Document = {"logGroups": [_group(group, account) for group in page.groups]}
    if page.token is not None:
        shown["nextToken"] = page.token
    return shown


def show_streams(page: StreamPage, *, group: str, account: Account) -> Document:
    """Return streams as DescribeLogStreams does; SDK v2 loops for ever on a needless token."""
    arn = account.log_group_arn(group)
    shown: Document = {"logStreams": [_stream(stream, arn) for stream in page.streams]}
    if page.token is not None:
        shown["nextToken"] = page.token
    return shown


def show_events(page: LogPage) -> Document:
    """Return a page as GetLogEvents does."""
    return {
        "events": [_event(event) for event in page.events],
        "nextForwardToken": page.forward,
        "nextBackwardToken": page.backward,
    }


def show_found(page: FilterPage) -> Document:
    """Return a page as FilterLogEvents does; AWS no longer says which streams it searched."""
    shown: Document = {
        "events": [
            {"logStreamName": event.stream, **_event(event), "eventId": event.id}
            for event in page.events
        ],
        "searchedLogStreams": [],
    }
    if page.token is not None:
        shown["nextToken"] = page.token
    return shown


def _event(event: LogEvent) -> Document:
    return {"timestamp": event.ms, "message": event.message, "ingestionTime": event.ms}


def _group(group: GroupInfo, account: Account) -> Document:
    arn = account.log_group_arn(group.name)
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": group.size_bytes,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn,
    }


def _stream(stream: StreamInfo, group_arn: str) -> Document:
    shown: Document = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": 0,
    }
    if stream.first_ms is not None:
        shown["firstEventTimestamp"] = stream.first_ms
        shown["lastEventTimestamp"] = stream.last_ms
        shown["lastIngestionTime"] = stream.written_ms
    return shown
