"""A line of a log as the pages and the API show it: where it is from, how bad it is, its pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagelet.journal.overwritten import Kind, read_message
from sagelet.web.ansi import MOST_SPANS, Span, spans

SHOWN_CHARACTERS = 16_000
"""A longer line is cut: a page cannot hold ten megabytes in one."""

LEVELS = ("error", "warning", "info", "debug")

_TRACEBACK = "Traceback (most recent call last):"
_LEVEL = re.compile(
    r"\b(?:(?P<error>ERROR|CRITICAL|FATAL|PANIC|SEVERE)|(?P<warning>WARN(?:ING)?)"
    r"|(?P<info>INFO|NOTICE)|(?P<debug>DEBUG|TRACE))\b"
    r"|^(?P<raised>[\w.]*(?:Error|Exception|Interrupt|Exit))(?::|$)"
    r"|^(?:[^\s:]+:\d+: )?(?P<warned>\w*Warning): "
)
_LOOKED_AT = 200
_JOB_GROUP = "/aws/sagemaker/TrainingJobs"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line; `ms` is since the epoch, `source` a job's host or an endpoint's variant.

    `cut` counts the characters that are left out. `kind` and `begun` tell of a line that is being
    overwritten (`journal.overwritten`).
    """

    id: str
    ms: int
    stream: str
    source: str
    level: str
    spans: tuple[Span, ...]
    cut: int = 0
    kind: Kind = Kind.WHOLE
    begun: str = ""

    @property
    def at(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(self.ms / 1000, UTC)

    @property
    def clock(self) -> str:
        """The time of day, to the millisecond."""
        return self.at.isoformat(timespec="milliseconds")[11:23]

    @property
    def text(self) -> str:
        """The text without its style."""
        return "".join(span.text for span in self.spans)

    def document(self, *, is_styled: bool) -> dict[str, Any]:
        """Return it as JSON has it; `spans` stand only where there is a style."""
        shown: dict[str, Any] = {
            "id": self.id,
            "ms": self.ms,
            "stream": self.stream,
            "source": self.source,
            "level": self.level,
            "text": self.text,
        }
        if is_styled and any(span.classes for span in self.spans):
            shown["spans"] = [[span.text, span.classes] for span in self.spans]
        if self.cut:
            shown["cut"] = self.cut
        if self.kind is not Kind.WHOLE:
            shown |= {"kind": self.kind.value, "begun": self.begun}
        return shown


class LineReader:
    """Makes lines of events, in their order: what follows a traceback's head belongs to it."""

    def __init__(self, group: str, most_spans: int = MOST_SPANS) -> None:
        """Begin; jobs and endpoints name their streams each in their own way."""
        self._is_job = group == _JOB_GROUP
        self._most_spans = most_spans
        self._in_traceback: set[str] = set()

    def line(self, event: Mapping[str, Any]) -> LogLine:
        """Return the line of one event of FilterLogEvents."""
        stream: str = event["logStreamName"]
        kind, text, begun = read_message(event["message"])
        kept = text[:SHOWN_CHARACTERS]
        pieces = spans(kept, self._most_spans)
        return LogLine(
            id=event["eventId"],
            ms=event["timestamp"],
            stream=stream,
            source=source_of(stream, is_job=self._is_job),
            level=self._level("".join(span.text for span in pieces), stream),
            spans=pieces,
            cut=len(text) - len(kept),
            kind=kind,
            begun=begun,
        )

    def _level(self, text: str, stream: str) -> str:
        if text.startswith(_TRACEBACK):
            self._in_traceback.add(stream)
            return "error"
        if stream in self._in_traceback:
            if not text.startswith(" "):
                self._in_traceback.discard(stream)
            return "error"
        return level_of(text)


def level_of(text: str) -> str:
    """Return how bad a line by itself says it is: one of LEVELS, or nothing."""
    found = _LEVEL.search(text, 0, _LOOKED_AT)
    match found.lastgroup if found else None:
        case None:
            return ""
        case "raised":
            return "error"
        case "warned":
            return "warning"
        case str() as level:
            return level


def source_of(stream: str, *, is_job: bool) -> str:
    """Return who wrote a stream: `job/algo-1-1732240000` algo-1, `variant/instance` variant."""
    if is_job:
        return stream.rpartition("/")[2].rsplit("-", 1)[0]
    return stream.partition("/")[0]


def standing(lines: Iterable[LogLine], *, is_newest: bool) -> Sequence[LogLine]:
    """Return lines without the states that were overwritten.

    Those that still stand are there where nothing newer `is_newest`; elsewhere their end, or a
    later state, is on a later page.
    """
    kept: list[LogLine | None] = []
    open_at: dict[tuple[str, str], int] = {}
    for line in lines:
        place = _place_of(line, open_at)
        if place in open_at:
            kept[open_at.pop(place)] = None
        if line.kind is Kind.STATE:
            open_at[place] = len(kept)
        kept.append(line)
    if not is_newest:
        for at in open_at.values():
            kept[at] = None
    return [line for line in kept if line is not None]


def _place_of(line: LogLine, known: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return what an overwritten line is known by; an end belongs to the longest that fits it."""
    if line.kind is Kind.STATE:
        return line.stream, line.begun
    if line.kind is Kind.WHOLE:
        return "", ""
    fits = [
        (stream, begun)
        for stream, begun in known
        if stream == line.stream and line.text.startswith(begun)
    ]
    return max(fits, key=lambda place: len(place[1]), default=("", ""))
