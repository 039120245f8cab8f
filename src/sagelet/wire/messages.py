"""HTTP messages as the wire sees them: bytes' worth of text, before any framework's conveniences.

Header values are Latin-1 text, as HTTP/1.1 servers hand them over; `as_text` reads UTF-8 out of
them. Paths and queries stay raw, since signatures are made of what was sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import overload
from urllib.parse import parse_qsl, unquote


class Headers:
    """Header fields: case-insensitive, repeated names kept, never changed."""

    __slots__ = ("_by_name", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Keep the fields in their order."""
        self._pairs = tuple(pairs)
        self._by_name: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._by_name.setdefault(name.lower(), []).append(value)

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a field."""
        values = self._by_name.get(name.lower())
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        return list(self._by_name.get(name.lower(), ()))

    def names(self) -> list[str]:
        """Return the different names, lower-cased, in the order of their first appearance."""
        return list(self._by_name)

    def __getitem__(self, name: str) -> str:
        """Return the first value of a field that must be there."""
        return self._by_name[name.lower()][0]

    def __contains__(self, name: object) -> bool:
        """Say whether a field is there."""
        return isinstance(name, str) and name.lower() in self._by_name

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (name, value) pairs as they came."""
        return iter(self._pairs)

    def __len__(self) -> int:
        """Count the fields, repetitions included."""
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        """Compare names without their case, and values in order."""
        return isinstance(other, Headers) and self._by_name == other._by_name

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(tuple((name, tuple(values)) for name, values in self._by_name.items()))

    def __repr__(self) -> str:
        """Name the fields and hide their values: one of them is the signature."""
        return f"Headers({', '.join(self._by_name)})"


def as_text(value: str) -> str:
    """Return a header value as its sender meant it: UTF-8 where its bytes are, else Latin-1."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def as_header(text: str) -> str:
    """Return text as a header value that cannot break out of its line: Latin-1 holding UTF-8."""
    clean = (
        text
        if text.isprintable()
        else "".join(c if c >= " " and c != "\x7f" else " " for c in text)
    )
    return clean if clean.isascii() else clean.encode("utf-8", "replace").decode("latin-1")


@dataclass(frozen=True)
class RequestHead:
    """A request without its body. `raw_path` and `raw_query` are as sent, still percent-encoded."""

    method: str
    raw_path: str
    raw_query: str
    headers: Headers

    @cached_property
    def path(self) -> str:
        """The path, decoded once; what is not UTF-8 becomes U+FFFD."""
        return unquote(self.raw_path)

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The query's (name, value) pairs, decoded; a bare marker such as `uploads` has ''."""
        return parse_qsl(self.raw_query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that is in memory."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An answer whose body is produced while it is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: AsyncIterator[bytes]
