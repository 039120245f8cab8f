"""The tokens of log pages: places in files, as text.

A GetLogEvents token is `f/` or `b/`, 56 digits and `/s`, as at AWS: the byte offset (20 digits),
the latest time before it (16), and the file's inode (20), by which a file that was replaced is
known. Other tokens are base64 of JSON. A forged one leads to some place in the same log at most.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass

from sagelet.errors import InvalidRequest

_EVENTS = re.compile(r"(?P<way>[fb])/(?P<offset>\d{20})(?P<floor>\d{16})(?P<inode>\d{20})/s")


@dataclass(frozen=True, slots=True)
class EventsToken:
    """A place in a stream, and which way to read from it: `f` forward, `b` backward."""

    way: str
    offset: int
    floor_ms: int
    inode: int

    def __str__(self) -> str:
        """Return the token as clients see it."""
        return f"{self.way}/{self.offset:020d}{self.floor_ms:016d}{self.inode:020d}/s"


@dataclass(frozen=True, slots=True)
class FilterToken:
    """The last event that a filter looked at: its time, its stream, and the offset after it."""

    ms: int
    stream: str
    offset: int

    def __str__(self) -> str:
        """Return the token as clients see it."""
        return _packed([self.ms, self.stream, self.offset])


def read_events_token(text: str) -> EventsToken:
    """Read a token of a page of one stream.

    Raises:
        InvalidRequest: it is none.
    """
    match = _EVENTS.fullmatch(text)
    if match is None:
        raise _invalid()
    return EventsToken(
        way=match["way"],
        offset=int(match["offset"]),
        floor_ms=int(match["floor"]),
        inode=int(match["inode"]),
    )


def read_filter_token(text: str) -> FilterToken:
    """Read a token of a page of a filter.

    Raises:
        InvalidRequest: it is none.
    """
    match _unpacked(text):
        case [int() as ms, str() as stream, int() as offset] if ms >= 0 and offset >= 0:
            return FilterToken(ms, stream, offset)
        case _:
            raise _invalid()


def pack_place(order: int, name: str) -> str:
    """Return the token of a list of names that goes on after one of them."""
    return _packed([order, name])


def read_place(text: str) -> tuple[int, str]:
    """Read a token of a list of names.

    Raises:
        InvalidRequest: it is none.
    """
    match _unpacked(text):
        case [int() as order, str() as name]:
            return order, name
        case _:
            raise _invalid()


def _packed(parts: list[int | str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _unpacked(text: str) -> object:
    try:
        return json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
    except ValueError as error:
        raise _invalid() from error


def _invalid() -> InvalidRequest:
    return InvalidRequest(message="The specified nextToken is invalid.")
