"""What readers of log streams get: events, pages of them, and what there is to read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of a stream; `ms` is milliseconds since the epoch and never falls in a stream."""

    stream: str
    ms: int
    message: str
    id: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events in order of time, and the tokens for what follows them and what precedes them.

    At the stream's end `forward` is the token that was given; at its beginning `backward` is.
    """

    events: tuple[LogEvent, ...]
    forward: str
    backward: str


@dataclass(frozen=True, slots=True)
class FilterPage:
    """Events of several streams in order of time; `token` is None when nothing follows."""

    events: tuple[LogEvent, ...]
    token: str | None


class StreamOrder(StrEnum):
    """What streams are listed by."""

    NAME = "name"
    LAST_EVENT = "last event"


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream; one without events has neither `first_ms` nor `last_ms`."""

    name: str
    created_ms: int
    written_ms: int
    first_ms: int | None
    last_ms: int | None


@dataclass(frozen=True, slots=True)
class StreamPage:
    """Some streams, and the token that asks for those after them."""

    streams: tuple[StreamInfo, ...]
    token: str | None = None


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A log group."""

    name: str
    created_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some groups, and the token that asks for those after them."""

    groups: tuple[GroupInfo, ...]
    token: str | None = None
