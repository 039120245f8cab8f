"""Scalars as text: in headers, paths, queries, forms and XML they all look alike."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import datetime

from botocore.model import Shape

from sagelet.wire.documents import Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.timestamps import Format, read_timestamp, write_text

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_INTEGER_BITS = {"integer": 31, "long": 63}


def read_scalar(shape: Shape, text: str) -> Value:
    """Return the value that a shape makes of text.

    Raises:
        Unreadable: the text is not of the shape's type.
    """
    match shape.type_name:
        case "boolean":
            return _read_boolean(text)
        case "integer" | "long":
            return _read_whole(text, shape.type_name)
        case "float" | "double":
            return _read_float(text)
        case "timestamp":
            return read_timestamp(text)
        case "blob":
            return read_blob(text)
        case _:
            return text


def write_scalar(value: Value, form: Format) -> str:
    """Return a scalar as text; `form` is for timestamps."""
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return write_text(value, form)
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case _:
            return str(value)


def fitting(value: int, type_name: str) -> int:
    """Return an integer that its type can hold.

    Raises:
        Unreadable: it cannot.
    """
    bits = _INTEGER_BITS.get(type_name, 63)
    if not -(1 << bits) <= value < (1 << bits):
        raise Unreadable(f"a number is out of range for {type_name.capitalize()}")
    return value


def read_blob(text: str) -> bytes:
    """Return the bytes of base64 text.

    Raises:
        Unreadable: it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("a blob must be base64") from error


def _read_boolean(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise Unreadable(f"{text[:64]!r} is neither true nor false")


def _read_whole(text: str, type_name: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise Unreadable(f"{text[:64]!r} is not a whole number")
    return fitting(int(text), type_name)


def _read_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise Unreadable(f"{text[:64]!r} is not a number") from error
    if not math.isfinite(number):
        raise Unreadable(f"{text[:64]!r} is not a finite number")
    return number
