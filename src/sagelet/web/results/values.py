"""JSON as people wrote it: numbers exact, and what Python reads but JSON does not know, noted."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a document: the keys and positions that lead to it."""

MOST_DEPTH = 64
"""What is nested deeper than so is shown as text, and compared as a whole."""

_HALF = re.compile("[\ud800-\udfff]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_DIGITS = 4000


@dataclass(frozen=True, slots=True)
class Exact:
    """A number that Python's own would not hold as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A value that was read. `is_json` is false where it has NaN or Infinity."""

    value: object
    is_json: bool = True


def read_json(text: str) -> Document:
    """Read a document.

    Raises:
        ValueError: it is none, or it is nested too deeply to be read.
    """
    odd: list[str] = []

    def constant(name: str) -> float:
        odd.append(name)
        return float(name)

    try:
        value = json.loads(text, parse_constant=constant, parse_int=_whole, parse_float=_fraction)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    value = _without_halves(value) if _SURROGATE.search(text) else value
    return Document(value, is_json=not odd)


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is a number to calculate with, not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_scalar(value: object) -> bool:
    """Say whether a value has no parts."""
    return not isinstance(value, dict | list)


def scalar_text(value: object) -> str:
    """Return a value without parts as JSON has it; a text without its quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, Exact):
        return value.text
    return json.dumps(value)


def number_text(value: float) -> str:
    """Return a number, the shortest that means it, with NaN and Infinity by their names."""
    return scalar_text(value)


def finite(value: float) -> bool:
    """Say whether a number is one: no NaN, no infinity, and within a float's range."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def place_text(place: Place) -> str:
    """Return a place as people write it: `$.scores[2]`, `$["a key"]`."""
    parts = ["$"]
    for key in place:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _NAME.fullmatch(key):
            parts.append(f".{key}")
        else:
            parts.append(f"[{json.dumps(key, ensure_ascii=False)}]")
    return "".join(parts)


def pointer(place: Place) -> str:
    """Return a place as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in place)


def at_pointer(value: object, text: str) -> object:
    """Return what a JSON pointer leads to.

    Raises:
        KeyError: nothing stands there.
    """
    for part in text.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key[:9]) < len(value):
            value = value[int(key[:9])]
        else:
            raise KeyError(text)
    return value


def cut(text: str, characters: int) -> str:
    """Return a text of at most so many characters, which ends in … if it was longer."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def compact(value: object, characters: int) -> str:
    """Return the beginning of a value as JSON on one line."""
    text = "".join(_pieces(value, characters, 0))
    return cut(text, characters)


def _pieces(value: object, room: int, depth: int) -> list[str]:
    """Return a value in pieces; what is behind `room` characters is not even looked at."""
    if depth > MOST_DEPTH:
        return ["…"]
    if isinstance(value, str):
        return [json.dumps(value[: room + 1], ensure_ascii=False)]
    if isinstance(value, dict):
        return _all(
            [
                (f"{json.dumps(key[: room + 1], ensure_ascii=False)}: ", item)
                for key, item in _first(value, room)
            ],
            "{}",
            room,
            depth,
        )
    if isinstance(value, list):
        return _all([("", item) for item in value[: room + 1]], "[]", room, depth)
    return [scalar_text(value)]


def _first(value: dict[str, object], room: int) -> list[tuple[str, object]]:
    return [item for item, _ in zip(value.items(), range(room + 1), strict=False)]


def _all(items: list[tuple[str, object]], brackets: str, room: int, depth: int) -> list[str]:
    found = [brackets[0]]
    left = room
    for number, (before, item) in enumerate(items):
        if left <= 0:
            found.append("…")
            break
        more = [", " if number else "", before, *_pieces(item, left, depth + 1)]
        left -= sum(map(len, more))
        found += more
    return [*found, brackets[1]]


def _without_halves(value: object) -> object:
    """Return a value with U+FFFD for halves of surrogate pairs, which no page can have."""
    root = [value]
    left: list[list[object] | dict[str, object]] = [root]
    while left:
        parent = left.pop()
        if isinstance(parent, dict):
            cleaned = {_HALF.sub("\ufffd", key): _clean(item) for key, item in parent.items()}
            parent.clear()
            parent.update(cleaned)
            left += [item for item in parent.values() if isinstance(item, dict | list)]
        else:
            parent[:] = map(_clean, parent)
            left += [item for item in parent if isinstance(item, dict | list)]
    return root[0]


def _clean(value: object) -> object:
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else value


def _whole(text: str) -> int | Exact:
    return int(text) if len(text) <= _MOST_DIGITS else Exact(text)


def _fraction(text: str) -> float | Exact:
    number = float(text)
    return number if math.isfinite(number) else Exact(text)
