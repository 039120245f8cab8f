"""CBOR (RFC 8949), as much of it as AWS's `smithy-rpc-v2-cbor` uses.

Python's own values go in and come out; an aware datetime is tag 1, seconds since the epoch.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import datetime

from sagelet.wire.documents import Value
from sagelet.wire.faults import Unreadable
from sagelet.wire.timestamps import read_timestamp, write_epoch

DEPTH_AT_MOST = 64

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE = 31
_BREAK = 0xFF
_EPOCH_TAG = 1
_SIMPLE_VALUES: Mapping[int, Value] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def encode(value: Value) -> bytes:
    """Return a value as CBOR; floating-point numbers have double precision."""
    return b"".join(_parts(value))


def _parts(value: Value) -> Iterator[bytes]:
    match value:
        case Mapping():
            yield _head(_MAP, len(value))
            for key, item in value.items():
                yield from _parts(key)
                yield from _parts(item)
        case list() | tuple():
            yield _head(_ARRAY, len(value))
            for item in value:
                yield from _parts(item)
        case _:
            yield _scalar(value)


def _scalar(value: Value) -> bytes:
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            text = value.encode("utf-8", "replace")
            return _head(_TEXT, len(text)) + text
        case bytes() | bytearray():
            return _head(_BYTES, len(value)) + bytes(value)
        case datetime():
            return _head(_TAG, _EPOCH_TAG) + _scalar(write_epoch(value))
        case _:
            raise TypeError(f"CBOR has no {type(value).__name__} here")


def _head(major: int, number: int) -> bytes:
    """Return the first bytes of an item: what it is, and a length or a number."""
    if number < min(_LENGTHS):
        return bytes([major << 5 | number])
    for information, length in _LENGTHS.items():
        if number < 1 << (8 * length):
            return bytes([major << 5 | information]) + number.to_bytes(length)
    raise OverflowError("a number of more than 64 bits")


def decode(data: bytes) -> Value:
    """Return the one item that stands in `data`.

    Raises:
        Unreadable: it is none, or not of the kinds that are known here.
    """
    reader = _Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise Unreadable("the body goes on after its end")
    return value


class _Reader:
    """Reads items from bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def item(self, depth: int) -> Value:
        if depth > DEPTH_AT_MOST:
            raise Unreadable("the body is nested too deeply")
        first = self._take(1)[0]
        major, information = first >> 5, first & 31
        match major:
            case 0:
                return self._number(information)
            case 1:
                return -1 - self._number(information)
            case 2 | 3:
                return self._string(major, information)
            case 4:
                return [self.item(depth + 1) for _ in self._steps(information)]
            case 5:
                return self._map(information, depth)
            case 6:
                return self._tagged(information, depth)
            case _:
                return self._simple(information)

    def _string(self, major: int, information: int) -> Value:
        if information == _INDEFINITE:
            raw = b"".join(self._chunk(major) for _ in self._steps(information))
        else:
            raw = self._take(self._number(information))
        if major == _BYTES:
            return raw
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("a text is not UTF-8") from error

    def _chunk(self, major: int) -> bytes:
        first = self._take(1)[0]
        if first >> 5 != major:
            raise Unreadable("a part of a string is of another kind")
        return self._take(self._number(first & 31))

    def _map(self, information: int, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for _ in self._steps(information):
            key = self.item(depth + 1)
            if not isinstance(key, str):
                raise Unreadable("a key is no text")
            found[key] = self.item(depth + 1)
        return found

    def _tagged(self, information: int, depth: int) -> Value:
        tag = self._number(information)
        value = self.item(depth + 1)
        if tag != _EPOCH_TAG or isinstance(value, str):
            raise Unreadable(f"tag {tag} is not known here")
        return read_timestamp(value)

    def _simple(self, information: int) -> Value:
        if information in _SIMPLE_VALUES:
            return _SIMPLE_VALUES[information]
        form = _FLOATS.get(information)
        if form is None:
            raise Unreadable("a simple value is not known here")
        return struct.unpack(form, self._take(_LENGTHS[information]))[0]

    def _steps(self, information: int) -> Iterator[None]:
        """Go through as many items as there are, or until the break."""
        if information != _INDEFINITE:
            for _ in range(self._number(information)):
                yield
            return
        while self._data[self.at : self.at + 1] != bytes([_BREAK]):
            yield
        self.at += 1

    def _number(self, information: int) -> int:
        if information < min(_LENGTHS):
            return information
        if information not in _LENGTHS:
            raise Unreadable("a length is not known here")
        return int.from_bytes(self._take(_LENGTHS[information]))

    def _take(self, count: int) -> bytes:
        taken = self._data[self.at : self.at + count]
        if len(taken) != count:
            raise Unreadable("the body ends too early")
        self.at += count
        return taken
