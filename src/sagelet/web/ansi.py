"""A log's lines as text with CSS classes: of all that a terminal obeys only the colours are left.

    ESC[1;31merror ESC[0m: 5   ->   Span("error ", "ansi-bold ansi-f1"), Span(": 5", "")

Colours are ANSI's 16, `ansi-f0` to `ansi-f15` for the text and `ansi-b0` to `ansi-b15` behind it;
those of xterm's 256 and of 24 bits become the nearest of them. So our style sheet has the last
word, not the log, and all text can be read in either theme.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache

MOST_SPANS = 200
"""What follows these in a line is of the last one's style: a page bears only so many elements."""

_TOKEN = re.compile(
    r"(?:\x1b\[|\x9b)(?P<sgr>[0-9;:]*+)m"
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # the cursor, erasing, modes
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f]*+(?:\x07|\x1b\\|\x9c)"  # titles
    r"|\x1b[ -/]*+[0-Z\\-~]"
    r"|(?P<back>\r)"
    r"|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029])"
)
_CUBE = (0, 95, 135, 175, 215, 255)
_PALETTE = (
    (0, 0, 0),
    (205, 49, 49),
    (13, 155, 90),
    (190, 150, 10),
    (36, 114, 200),
    (170, 60, 170),
    (17, 150, 185),
    (200, 200, 200),
    (110, 110, 110),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (80, 150, 255),
    (230, 110, 230),
    (60, 220, 235),
    (255, 255, 255),
)
_BEGINS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike", 21: "underline"}
_ENDS = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 29: {"strike"}}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line, and the classes of its style with spaces between them."""

    text: str
    classes: str = ""


def spans(line: str, most: int = MOST_SPANS) -> tuple[Span, ...]:
    """Return a line as pieces of one style each, `most` of them at the most.

    Of a line that was overwritten after carriage returns its last state is left. A control
    character is shown as Unicode's picture of it, half of a surrogate pair as U+FFFD.
    """
    end = len(line.rstrip("\r\n"))
    pieces = _Pieces(most)
    style, at = _PLAIN, 0
    for token in _TOKEN.finditer(line, 0, end):
        pieces.add(line[at : token.start()], style)
        at = token.end()
        if token["sgr"] is not None:
            style = style.after(token["sgr"][:200])
        elif token["back"]:
            pieces = _Pieces(most)
        elif token["control"]:
            pieces.add(_shown(token["control"]), style)
    pieces.add(line[at:end], style)
    return pieces.spans()


def strip(line: str) -> str:
    """Return the text of a line alone."""
    return "".join(span.text for span in spans(line))


def _shown(control: str) -> str:
    code = ord(control)
    if code in (0x07, 0x1B) or 0x80 <= code < 0xA0:
        return ""
    if code == 0x7F:
        return "\u2421"
    if code < 0x20:
        return chr(0x2400 + code)
    return " " if code in (0x2028, 0x2029) else "\ufffd"


@dataclass(frozen=True, slots=True)
class _Style:
    """What the sequences so far have asked for; colours are numbers of the palette."""

    names: frozenset[str] = frozenset()
    colour: int | None = None
    ground: int | None = None
    is_inverse: bool = False

    def after(self, parameters: str) -> _Style:
        """Return the style that an SGR sequence leads to."""
        return _after(self, parameters)

    @property
    def classes(self) -> str:
        colour, ground = self.colour, self.ground
        found = [f"ansi-{name}" for name in sorted(self.names)]
        if self.is_inverse:
            colour, ground = ground, colour
            if ground is None:
                found.append("ansi-inverse")
        found += [] if colour is None else [f"ansi-f{colour}"]
        found += [] if ground is None else [f"ansi-b{ground}"]
        return " ".join(found)


_PLAIN = _Style()


class _Pieces:
    """A line's pieces; neighbours of one style are one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._whole: list[Span] = []
        self._texts: list[str] = []
        self._style = _PLAIN

    def add(self, text: str, style: _Style) -> None:
        if not text:
            return
        if style != self._style and len(self._whole) < self._most - 1:
            self._whole += self._last()
            self._texts = []
            self._style = style
        self._texts.append(text)

    def spans(self) -> tuple[Span, ...]:
        return (*self._whole, *self._last())

    def _last(self) -> list[Span]:
        return [Span("".join(self._texts), self._style.classes)] if self._texts else []


@lru_cache(maxsize=512)
def _after(style: _Style, parameters: str) -> _Style:
    codes = deque([_number(text) for text in part.split(":")] for part in parameters.split(";"))
    while codes:
        code, *details = codes.popleft()
        if code in (38, 48, 58):
            colour = _colour(details or _details(codes))
            if colour is not None and code != 58:
                is_ground = code == 48
                style = (
                    replace(style, ground=colour) if is_ground else replace(style, colour=colour)
                )
        elif code == 4 and details == [0]:
            style = _simple(style, 24)
        else:
            style = _simple(style, code)
    return style


def _simple(style: _Style, code: int) -> _Style:
    """Return the style after a code that stands by itself; an unknown one changes nothing."""
    if code in _BEGINS:
        return replace(style, names=style.names | {_BEGINS[code]})
    if code in _ENDS:
        return replace(style, names=style.names - _ENDS[code])
    if code in (7, 27):
        return replace(style, is_inverse=code == 7)
    return _PLAIN if code == 0 else _coloured(style, code)


def _coloured(style: _Style, code: int) -> _Style:
    tens, ones = divmod(code, 10)
    colour = None if ones == 9 else ones + 8 * (tens > 4)
    if ones == 8:
        return style
    if tens in (3, 9):
        return replace(style, colour=colour)
    return replace(style, ground=colour) if tens in (4, 10) else style


def _number(text: str) -> int:
    if not text:
        return 0
    return int(text) if len(text) < 4 else -1


def _details(codes: deque[list[int]]) -> list[int]:
    """Take the parts of a colour that stand behind its code: `5;n` or `2;r;g;b`."""
    count = {5: 2, 2: 4}.get(codes[0][0], 1) if codes else 0
    return [codes.popleft()[0] for _ in range(min(count, len(codes)))]


def _colour(details: list[int]) -> int | None:
    match details:
        case [5, number] if 0 <= number < 256:
            return number if number < 16 else _nearest(*_of_xterm(number))
        case [2, *_, red, green, blue] if all(0 <= each < 256 for each in (red, green, blue)):
            return _nearest(red, green, blue)
        case _:
            return None


def _of_xterm(number: int) -> tuple[int, int, int]:
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    rest, blue = divmod(number - 16, 6)
    red, green = divmod(rest, 6)
    return _CUBE[red], _CUBE[green], _CUBE[blue]


def _nearest(red: int, green: int, blue: int) -> int:
    def distance(index: int) -> int:
        r, g, b = _PALETTE[index]
        return (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2

    return min(range(len(_PALETTE)), key=distance)
