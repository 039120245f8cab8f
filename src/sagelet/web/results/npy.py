"""NumPy's file format without NumPy, which a daemon does not have: arrays of numbers, both ways.

https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import math
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MAGIC = b"\x93NUMPY"
_FORMATS = {"f": {2: "e", 4: "f", 8: "d"}, "i": {1: "b", 2: "h", 4: "i", 8: "q"}}
_FORMATS["u"] = {size: code.upper() for size, code in _FORMATS["i"].items()}
_FORMATS["b"] = {1: "?"}
_MOST_NUMBERS = 4_000_000
_MOST_HEAD = 65_536
_ALIGNED = 64


@dataclass(frozen=True, slots=True)
class Array:
    """An array as nested lists; `kind` is its type as NumPy writes it, such as `<f4`."""

    kind: str
    shape: tuple[int, ...]
    value: object


def read(data: bytes) -> Array:
    """Read an array.

    Raises:
        ValueError: it is none, or one of objects, texts or times, or it is not whole.
    """
    if data[:6] != _MAGIC or len(data) < 12:
        raise ValueError("it does not begin as an array does")
    width = 2 if data[6] == 1 else 4
    size = int.from_bytes(data[8 : 8 + width], "little")
    start = 8 + width + size
    if size > _MOST_HEAD or start > len(data):
        raise ValueError("its head is not whole")
    kind, is_fortran, shape = _head(data[8 + width : start].decode("latin-1"))
    count = math.prod(shape)
    code = _FORMATS.get(kind[1:2], {}).get(int(kind[2:])) if kind[2:].isdecimal() else None
    if code is None or kind[0] not in "<>|=" or count > _MOST_NUMBERS:
        raise ValueError(f"its type {kind[:20]} is not of numbers, or it has too many")
    if not count:
        return Array(kind, shape, [])
    wanted = count * int(kind[2:])
    if len(data) - start < wanted:
        raise ValueError("it is not whole")
    order = ">" if kind[0] == ">" else "<"
    numbers = struct.unpack_from(f"{order}{count}{code}", data, start)
    return Array(kind, shape, _nested(_in_rows(numbers, shape) if is_fortran else numbers, shape))


def write(numbers: Sequence[float], shape: Sequence[int]) -> bytes:
    """Return an array of 64-bit floats as a file."""
    size = "(" + "".join(f"{each}, " for each in shape) + ")"
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {size}}}"
    room = -(len(_MAGIC) + 4 + len(head) + 1) % _ALIGNED
    text = head.encode() + b" " * room + b"\n"
    values = struct.pack(f"<{len(numbers)}d", *array("d", map(_as_float, numbers)))
    return _MAGIC + b"\x01\x00" + len(text).to_bytes(2, "little") + text + values


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _head(text: str) -> tuple[str, bool, tuple[int, ...]]:
    try:
        head = ast.literal_eval(text.strip())
        kind, is_fortran, shape = head["descr"], head["fortran_order"], head["shape"]
    except (SyntaxError, ValueError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise ValueError("its head says nothing") from error
    is_shape = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not isinstance(kind, str) or not is_shape or len(kind) < 3 or len(shape) > 32:
        raise ValueError("its head says nothing of numbers")
    return kind, bool(is_fortran), shape


def _in_rows(numbers: Sequence[object], shape: tuple[int, ...]) -> list[object]:
    """Return what was written column by column in the order of rows."""
    return [numbers[place] for place in _places(shape, [math.prod(shape[:n]) for n in range(32)])]


def _places(shape: tuple[int, ...], steps: list[int]) -> Iterator[int]:
    if not shape:
        yield 0
        return
    for index in range(shape[0]):
        for rest in _places(shape[1:], steps[1:]):
            yield index * steps[0] + rest


def _nested(numbers: Sequence[object], shape: tuple[int, ...]) -> object:
    if not shape:
        return numbers[0]
    level = list(numbers)
    for size in reversed(shape[1:]):
        level = [level[at : at + size] for at in range(0, len(level), size)]
    return level
