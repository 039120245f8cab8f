"""What of a text is code, what a string, what a comment: also where the text is not quite Python.

Python's own tokenizer stops at the first mistake. Here a string that is not closed ends with its
line, and the rest is read on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

NEWLINE = re.compile(r"\r\n|\r|\n")
"""What ends a line of Python; `str.splitlines` knows more than these."""

_PIECE = re.compile(
    r"""
      (?P<comment>\#[^\r\n]*)
    | (?P<newline>\r\n|\r|\n)
    | (?P<triple>\"{3}[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*(?:\"{3}|\\?\Z)
               | '{3}[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*(?:'{3}|\\?\Z))
    | (?P<single>"[^"\\\r\n]*(?:\\(?:\r\n|[\s\S])[^"\\\r\n]*)*(?P<double_end>"?)
               | '[^'\\\r\n]*(?:\\(?:\r\n|[\s\S])[^'\\\r\n]*)*(?P<single_end>'?))
    | (?P<code>[^#"'\r\n]+)
    """,
    re.VERBOSE,
)
_OPENING = re.compile(r"[(\[{]")
_CLOSING = re.compile(r"[)\]}]")


class Kind(StrEnum):
    """What a piece of a text is. A `broken` string is not closed on its line."""

    CODE = "code"
    STRING = "string"
    BROKEN = "broken"
    COMMENT = "comment"
    NEWLINE = "newline"


_KINDS = {
    "comment": Kind.COMMENT,
    "newline": Kind.NEWLINE,
    "triple": Kind.STRING,
    "code": Kind.CODE,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, by its place in it."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line that begins a statement: its number, and where its text and its newline are.

    `ends_with_colon` tells whether the statement's last line does, `last` is that line's number.
    """

    number: int
    start: int
    indent: str
    last: int
    ends_with_colon: bool


def split_lines(text: str) -> tuple[str, ...]:
    """Return a text's lines as Python counts them, without what ends them."""
    return tuple(NEWLINE.split(text))


def pieces(text: str) -> Iterator[Piece]:
    """Yield what a text is made of, from its beginning to its end."""
    for match in _PIECE.finditer(text):
        yield Piece(_kind_of(match), match.start(), match.end())


def _kind_of(match: re.Match[str]) -> Kind:
    kind = _KINDS.get(match.lastgroup or "")
    if kind is not None:
        return kind
    # A quote that ends the string is there, or the string runs to the end of its line.
    return Kind.STRING if match["double_end"] or match["single_end"] else Kind.BROKEN


def logical_lines(text: str) -> Iterator[Line]:
    """Yield the lines on which statements begin: neither in brackets, nor in strings, nor empty."""
    reader = _Reader(text)
    for piece in pieces(text):
        yield from reader.take(piece)
    yield from reader.finish()


class _Reader:
    """Where the reading of logical lines stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._number = 1
        self._line_start = 0
        self._depth = 0
        self._begun: tuple[int, int, str] | None = None
        self._last_code = ""

    def take(self, piece: Piece) -> Iterator[Line]:
        match piece.kind:
            case Kind.NEWLINE:
                if self._begun is not None and self._depth == 0 and self._last_code != "\\":
                    yield self._line()
                self._next_line(piece.end)
            case Kind.COMMENT:
                pass
            case Kind.CODE:
                self._take_code(piece)
            case Kind.STRING | Kind.BROKEN:
                self._begin(piece.start)
                self._last_code = '"'
                self._number += len(NEWLINE.findall(self._text, piece.start, piece.end))

    def finish(self) -> Iterator[Line]:
        if self._begun is not None:
            yield self._line()

    def _take_code(self, piece: Piece) -> None:
        part = self._text[piece.start : piece.end]
        stripped = part.strip()
        if not stripped:
            return
        self._begin(piece.start + len(part) - len(part.lstrip()))
        self._last_code = stripped[-1]
        self._depth += len(_OPENING.findall(part)) - len(_CLOSING.findall(part))
        self._depth = max(self._depth, 0)

    def _begin(self, start: int) -> None:
        if self._begun is None:
            indent = self._text[self._line_start : start]
            self._begun = (self._number, start, indent)

    def _line(self) -> Line:
        assert self._begun is not None
        number, start, indent = self._begun
        self._begun, self._depth = None, 0
        return Line(number, start, indent, self._number, self._last_code == ":")

    def _next_line(self, start: int) -> None:
        self._number += 1
        self._line_start = start
        if self._begun is None:
            self._last_code = ""
