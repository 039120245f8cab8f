"""A log in a page: its lines as the address asks for them, and what `<log-tail>` needs to go on.

    ?q=loss&stream=NAME&start=MS&end=MS      what is shown
    ?before=MS, ?after=MS                    the lines before a time, or from it on

`templates/logs/_macros.html.j2` renders it; `/api/v1/logs` takes the same parameters.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import StreamingResponse

from sagelet.errors import LogGroupNotFound
from sagelet.journal.overwritten import Kind, read_message
from sagelet.web.backend import Backend
from sagelet.web.downloads import attachment
from sagelet.web.faults import Refused
from sagelet.web.log_lines import source_of
from sagelet.web.log_pages import (
    LINES_AT_MOST,
    LogPage,
    LogQuery,
    all_events,
    read_lines,
    streams_of,
)

JOB_GROUP = "/aws/sagemaker/TrainingJobs"
ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"

_NUMBER = re.compile(r"[0-9]{1,16}")
_SEARCH_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class LogView:
    """What a page shows of a log; `path` is the page's, `download` the whole log's address."""

    query: LogQuery
    page: LogPage
    streams: Sequence[str]
    path: str
    download: str

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The streams, each with what it is called; those of former endpoints by their end, too."""
        is_job = self.query.group == JOB_GROUP
        names = [source_of(stream, is_job=is_job) for stream in self.streams]
        return [
            (stream, name if names.count(name) == 1 else f"{name} …{stream[-6:]}")
            for stream, name in zip(self.streams, names, strict=True)
        ]

    @property
    def topic(self) -> str:
        """What the stream of events tells growth by."""
        prefix = f":{self.query.prefix}" if self.query.prefix else ""
        return f"log:{self.query.group}{prefix}"

    @property
    def source(self) -> str:
        """Where a script reads more of the same."""
        query = self.query
        asked = {"group": query.group, "prefix": query.prefix, **self._shown()}
        return f"/api/v1/logs?{_encoded(asked)}"

    @property
    def older(self) -> str | None:
        """The address of the lines before these."""
        ms = self.page.older_ms
        return None if ms is None else self._link(before=str(ms))

    @property
    def newer_ms(self) -> int | None:
        """The time from which on there may be newer lines."""
        if self.page.newer_ms is not None or self.query.is_from_start:
            return self.page.newer_ms
        return self.query.end_ms

    @property
    def newer(self) -> str | None:
        """The address of the lines after these."""
        ms = self.newer_ms
        return None if ms is None else self._link(after=str(ms))

    def _link(self, **more: str) -> str:
        asked = _encoded({**self._shown(), **more})
        return f"{quote(self.path)}?{asked}" if asked else quote(self.path)

    def _shown(self) -> dict[str, str]:
        return {"stream": self.query.stream, "q": self.query.search}


async def log_view(
    backend: Backend, request: Request, *, group: str, prefix: str = "", download: str
) -> LogView:
    """Return what a request's address asks for of a log.

    Raises:
        Refused: 400 for a time that is none.
    """
    query = query_of(request.query_params, group=group, prefix=prefix)
    return LogView(
        query=query,
        page=await read_lines(backend, query),
        streams=await streams_of(backend, group, prefix),
        path=request.url.path,
        download=download,
    )


def query_of(asked: Mapping[str, str], *, group: str, prefix: str = "") -> LogQuery:
    """Return what parameters ask for of a log.

    Raises:
        Refused: 400 for a number that is none, or a stream that is not the log's.
    """
    times = {name: _number(asked, name) for name in ("start", "end", "before", "after")}
    stream = asked.get("stream", "")
    if not stream.startswith(prefix):
        stream = ""
    start_ms, end_ms = times["start"], times["end"]
    if times["before"] is not None:
        end_ms = times["before"] if end_ms is None else min(end_ms, times["before"])
    if times["after"] is not None:
        start_ms = max(start_ms or 0, times["after"])
    return LogQuery(
        group=group,
        prefix=prefix,
        stream=stream,
        search=asked.get("q", "")[:_SEARCH_CHARACTERS].strip(),
        start_ms=start_ms,
        end_ms=end_ms,
        limit=min(_number(asked, "limit") or 500, LINES_AT_MOST),
        is_from_start=times["after"] is not None,
    )


def download_of(backend: Backend, name: str, *, group: str, prefix: str = "") -> StreamingResponse:
    """Return a whole log as text, a line an event: when, who and what, as it was written."""
    return StreamingResponse(
        _text(backend, LogQuery(group, prefix)),
        media_type="text/plain; charset=utf-8",
        headers=attachment(f"{name}.log"),
    )


async def _text(backend: Backend, query: LogQuery) -> AsyncIterator[bytes]:
    is_job = query.group == JOB_GROUP
    try:
        async for events in all_events(backend, query):
            yield "".join(_row(event, is_job=is_job) for event in events).encode("utf-8", "replace")
    except LogGroupNotFound:
        return


def _row(event: Mapping[str, Any], *, is_job: bool) -> str:
    kind, text, _ = read_message(event["message"])
    if kind is Kind.STATE:
        return ""
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{at} {source_of(event['logStreamName'], is_job=is_job)} {text}\n"


def _number(asked: Mapping[str, str], name: str) -> int | None:
    text = asked.get(name, "")
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refused(400, f"{name} is a whole number of milliseconds, not {text[:40]!r}")
    return int(text)


def _encoded(asked: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
