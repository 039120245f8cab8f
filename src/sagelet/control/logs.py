"""Operations of CloudWatch Logs, on the logs that jobs, endpoints and scripts write."""

from __future__ import annotations

from datetime import timedelta

from sagelet.control.context import Context, Document
from sagelet.control.documents import log_pages as pages
from sagelet.control.documents import logs as documents
from sagelet.errors import AlreadyExists, LogGroupNotFound, LogStreamNotFound
from sagelet.journal.pages import GroupPage

_AHEAD = timedelta(hours=2)


def create_group(context: Context, document: Document) -> Document:
    """CreateLogGroup.

    Raises:
        AlreadyExists
    """
    group = documents.group_of(document)
    if not context.logs.create_group(group):
        raise AlreadyExists(kind=LogGroupNotFound.kind, name=group)
    return {}


def create_stream(context: Context, document: Document) -> Document:
    """CreateLogStream.

    Raises:
        LogGroupNotFound, AlreadyExists
    """
    group, stream = documents.group_of(document), documents.stream_of(document)
    _require_group(context, group)
    if not context.logs.create_stream(group, stream):
        raise AlreadyExists(kind=LogStreamNotFound.kind, name=stream)
    return {}


def put_events(context: Context, document: Document) -> Document:
    """PutLogEvents: events more than two hours ahead are rejected, as AWS does; old ones are kept.

    Raises:
        LogGroupNotFound, LogStreamNotFound
        InvalidRequest: the events are not in the order of their times.
    """
    group, stream = documents.group_of(document), documents.stream_of(document)
    records = documents.read_records(document)
    _require_group(context, group)
    if not context.logs.has_stream(group, stream):
        raise LogStreamNotFound(name=stream)
    latest_ms = int((context.clock.now() + _AHEAD).timestamp() * 1000)
    kept = [record for record in records if record[0] <= latest_ms]
    context.logs.append(group, stream, kept)
    return pages.show_put(kept=len(kept), given=len(records))


def describe_groups(context: Context, document: Document) -> Document:
    """DescribeLogGroups."""
    query = documents.read_group_query(document)
    if query.names is not None:
        groups = [
            group
            for name in query.names
            for group in context.logs.describe_groups(name).groups
            if group.name == name
        ]
        return pages.show_groups(GroupPage(tuple(groups)), account=context.account)
    page = context.logs.describe_groups(
        query.prefix, contains=query.contains, limit=query.limit, token=query.token
    )
    return pages.show_groups(page, account=context.account)


def describe_streams(context: Context, document: Document) -> Document:
    """DescribeLogStreams.

    Raises:
        LogGroupNotFound
    """
    query = documents.read_stream_query(document)
    page = context.logs.describe_streams(
        query.group,
        query.prefix,
        order=query.order,
        descending=query.descending,
        limit=query.limit,
        token=query.token,
    )
    return pages.show_streams(page, group=query.group, account=context.account)


def get_events(context: Context, document: Document) -> Document:
    """GetLogEvents.

    Raises:
        LogGroupNotFound, LogStreamNotFound
        InvalidRequest: the token is none of ours.
    """
    query = documents.read_event_query(document)
    page = context.logs.read(
        query.group,
        documents.stream_of(document),
        start_ms=query.start_ms,
        end_ms=query.end_ms,
        token=query.token,
        limit=query.limit,
        from_head=query.from_head,
    )
    return pages.show_events(page)


def filter_events(context: Context, document: Document) -> Document:
    """FilterLogEvents.

    Raises:
        LogGroupNotFound, LogStreamNotFound
        InvalidRequest: the pattern or the token is none.
    """
    query = documents.read_event_query(document)
    page = context.logs.filter(
        query.group,
        streams=query.streams,
        prefix=query.prefix,
        start_ms=query.start_ms,
        end_ms=query.end_ms,
        pattern=query.pattern,
        token=query.token,
        limit=query.limit,
    )
    return pages.show_found(page)


def delete_group(context: Context, document: Document) -> Document:
    """DeleteLogGroup."""
    context.logs.delete_group(documents.group_of(document))
    return {}


def delete_stream(context: Context, document: Document) -> Document:
    """DeleteLogStream."""
    context.logs.delete_stream(documents.group_of(document), documents.stream_of(document))
    return {}


def _require_group(context: Context, group: str) -> None:
    if not context.logs.has_group(group):
        raise LogGroupNotFound(name=group)
