"""NumPy's array files, read and written without NumPy (NEP 1): numbers in one or two dimensions."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_MAGIC = b"\x93NUMPY"
_LARGEST_HEADER = 4096
_ALIGNMENT = 64
FORMATS: Mapping[str, str] = {
    "<f4": "f",
    "<f8": "d",
    "<i1": "b",
    "|i1": "b",
    "|u1": "B",
    "<i2": "h",
    "<u2": "H",
    "<i4": "i",
    "<u4": "I",
    "<i8": "q",
    "<u8": "Q",
}


class NotSimple(ValueError):
    """An array that is of another kind, or a file that is none."""


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers by rows. `is_flat` tells an array of one dimension, which has one row."""

    dtype: str
    rows: tuple[tuple[str, ...], ...]
    is_flat: bool


def write(rows: Sequence[Sequence[str]], dtype: str, *, is_flat: bool = False) -> bytes:
    """Return the file of an array; the numbers are as they were typed.

    Raises:
        NotSimple: a number does not fit the type.
    """
    shape = f"({len(rows[0])},)" if is_flat else f"({len(rows)}, {len(rows[0])})"
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    padding = -(len(_MAGIC) + 4 + len(header) + 1) % _ALIGNMENT
    text = f"{header}{' ' * padding}\n".encode("latin-1")
    cells = [_number(cell, dtype) for row in rows for cell in row]
    try:
        content = struct.pack(f"<{len(cells)}{FORMATS[dtype]}", *cells)
    except (struct.error, OverflowError) as error:
        raise NotSimple(f"a number does not fit {dtype}: {error}") from error
    return _MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text + content


def read(content: bytes, most: int) -> Array:
    """Return a file's array of at most so many numbers.

    Raises:
        NotSimple: it has more of them or other things, more dimensions, or no such header.
    """
    header, begin = _header(content)
    dtype, shape = header.get("descr"), header.get("shape")
    if not isinstance(dtype, str) or dtype not in FORMATS or header.get("fortran_order"):
        raise NotSimple(f"the type {dtype!r} is not shown as numbers")
    if not isinstance(shape, tuple) or len(shape) not in (1, 2) or not all(shape):
        raise NotSimple(f"the shape {shape!r} is not shown as numbers")
    *_, width = shape
    count = width * (shape[0] if len(shape) == 2 else 1)
    size = struct.calcsize(FORMATS[dtype])
    if count > most or len(content) - begin < count * size:
        raise NotSimple("it is too large, or cut off")
    numbers = struct.unpack_from(f"<{count}{FORMATS[dtype]}", content, begin)
    cells = _written(numbers, dtype)
    rows = tuple(tuple(cells[at : at + width]) for at in range(0, count, width))
    return Array(dtype, rows, is_flat=len(shape) == 1)


def _header(content: bytes) -> tuple[Mapping[str, object], int]:
    if not content.startswith(_MAGIC) or len(content) < 12:
        raise NotSimple("it is no .npy file")
    form, begin = ("<H", 10) if content[6] == 1 else ("<I", 12)
    (length,) = struct.unpack_from(form, content, 8)
    if length > _LARGEST_HEADER:
        raise NotSimple("its header is too long")
    try:
        header = ast.literal_eval(content[begin : begin + length].decode("latin-1").strip())
    except (ValueError, SyntaxError) as error:
        raise NotSimple("its header cannot be read") from error
    if not isinstance(header, dict):
        raise NotSimple("its header cannot be read")
    return header, begin + length


def _number(cell: str, dtype: str) -> int | float:
    if dtype[1] == "f":
        return float(cell)
    try:
        return int(cell)
    except ValueError as error:
        raise NotSimple(f"{cell!r} is not a whole number, and the array is of {dtype}") from error


def _written(numbers: Iterable[int | float], dtype: str) -> list[str]:
    """Return numbers as short as they may be for their type: 0.1 of four bytes is 0.1."""
    if dtype != "<f4":
        return [repr(each) for each in numbers]
    return [_short(each) for each in numbers]


def _short(value: float) -> str:
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == struct.pack("<f", value):
            return text
    return repr(value)
