"""Two answers compared: numbers within a tolerance, all else exactly; the first difference named.

$.scores[2]: 0.91 is not 0.9            JSON
row 3, column 1: 7 is not 8             CSV
byte 17 differs                         anything else
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sagelet.domain.media import CSV, JSON, essence

_NEAR_ZERO = 1e-8
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Content:
    """A body, and what it is."""

    body: bytes
    content_type: str | None


def first_difference(wanted: Content, found: Content, tolerance: float) -> str:
    """Return where two answers differ, and how; nothing where they do not.

    `tolerance` is relative: 1e-4 lets numbers differ in the fifth digit.
    """
    kind = essence(wanted.content_type)
    if kind != essence(found.content_type):
        return f"the content type {found.content_type} is not {wanted.content_type}"
    if wanted.body == found.body:
        return ""
    try:
        if kind == JSON:
            pair = json.loads(wanted.body), json.loads(found.body)
            return next(_in_values("$", *pair, tolerance), "")
        if kind == CSV:
            return next(_in_rows(_rows(wanted), _rows(found), tolerance), "")
    except ValueError:
        pass  # one of them is not what it says it is: compared as bytes
    return _in_bytes(wanted.body, found.body)


def _in_values(path: str, wanted: object, found: object, tolerance: float) -> Iterator[str]:
    if _is_number(wanted) and _is_number(found):
        if not _are_close(wanted, found, tolerance):
            yield f"{path}: {_shown(found)} is not {_shown(wanted)}"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        yield from _in_mappings(path, wanted, found, tolerance)
    elif isinstance(wanted, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from _in_values(f"{path}[{index}]", one, other, tolerance)
        if len(wanted) != len(found):
            yield f"{path}: {len(found)} items are not {len(wanted)}"
    elif type(wanted) is not type(found) or wanted != found:
        yield f"{path}: {_shown(found)} is not {_shown(wanted)}"


def _in_mappings(
    path: str, wanted: dict[str, object], found: dict[str, object], tolerance: float
) -> Iterator[str]:
    for key, value in wanted.items():
        if key not in found:
            yield f"{path}.{key}: is missing"
        else:
            yield from _in_values(f"{path}.{key}", value, found[key], tolerance)
    for key in found:
        if key not in wanted:
            yield f"{path}.{key}: is new"


def _in_rows(wanted: list[list[str]], found: list[list[str]], tolerance: float) -> Iterator[str]:
    for number, (one, other) in enumerate(zip(wanted, found, strict=False), start=1):
        for column, (cell, seen) in enumerate(zip(one, other, strict=False), start=1):
            if cell != seen and not _are_close(_number(cell), _number(seen), tolerance):
                yield f"row {number}, column {column}: {seen} is not {cell}"
        if len(one) != len(other):
            yield f"row {number}: {len(other)} columns are not {len(one)}"
    if len(wanted) != len(found):
        yield f"{len(found)} rows are not {len(wanted)}"


def _in_bytes(wanted: bytes, found: bytes) -> str:
    for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
        if one != other:
            return f"byte {index} differs"
    return f"{len(found)} bytes are not {len(wanted)}"


def _rows(content: Content) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.body.decode("utf-8"))))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _are_close(one: object, other: object, tolerance: float) -> bool:
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return False
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=_NEAR_ZERO if tolerance else 0.0)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
