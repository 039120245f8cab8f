"""Frames: what the daemon, its zygotes and its workers say to each other, on a stream socket.

    u32 header length | u32 body length | header, a JSON object in UTF-8 | body, raw bytes

Both lengths are big-endian. A body is never encoded, so an invocation's bytes pass as they came.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from json.scanner import make_scanner
from typing import Any, NamedTuple

_PREFIX = struct.Struct(">II")
PREFIX_BYTES = _PREFIX.size
# A longer header is not one of ours: somebody wrote to the socket who should not have.
MAX_HEADER_BYTES = 16 * 2**20
# json.dumps would make an encoder each time, and json.loads look for the bytes' encoding and for
# blanks around them.
_to_json = json.JSONEncoder(separators=(",", ":")).encode
_from_json = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]  # typeshed has it wrong


class Frame(NamedTuple):
    """One message."""

    header: dict[str, Any]
    body: bytes = b""


def encode_frame(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return a message as bytes."""
    return frame_of(_to_json(header).encode(), body)


def frame_of(head: bytes, body: bytes = b"") -> bytes:
    """Return a message as bytes; its header is JSON already."""
    return b"".join((_PREFIX.pack(len(head), len(body)), head, body))


def read_frame(sock: socket.socket) -> Frame | None:
    """Wait for the next message of a blocking socket; None once the other side has gone.

    Raises:
        ValueError: the bytes are not a frame.
    """
    return finish_frame(sock, b"")


def finish_frame(sock: socket.socket, begun: bytes) -> Frame | None:
    """Read the rest of a message whose first bytes (at most the prefix) were already received.

    Raises:
        ValueError: the bytes are not a frame.
    """
    prefix = _read_exactly(sock, PREFIX_BYTES, begun)
    if prefix is None:
        return None
    head_bytes, body_bytes = _lengths(prefix)
    rest = _read_exactly(sock, head_bytes + body_bytes)
    if rest is None:
        return None
    return Frame(_header(rest[:head_bytes]), bytes(rest[head_bytes:]))


class FrameDecoder:
    """Cuts frames out of bytes that arrive in pieces of any size."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._buffer = bytearray()
        self._lengths: tuple[int, int] | None = None

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next piece, and return the frames that it completes.

        Raises:
            ValueError: the bytes are not a frame.
        """
        if not self._buffer:
            return self._cut(data)
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _cut(self, data: bytes) -> list[Frame]:
        """Return the frames that are whole, as most are when they arrive; keep the rest."""
        frames = []
        start, end = 0, len(data)
        while end - start >= PREFIX_BYTES:
            head_bytes, body_bytes = _lengths(data, start)
            head_start = start + PREFIX_BYTES
            body_start = head_start + head_bytes
            stop = body_start + body_bytes
            if stop > end:
                break
            frames.append(Frame(_header(data[head_start:body_start]), data[body_start:stop]))
            start = stop
        if start < end:
            self._buffer += data[start:]
        return frames

    def _next(self) -> Frame | None:
        if self._lengths is None:
            if len(self._buffer) < PREFIX_BYTES:
                return None
            self._lengths = _lengths(self._buffer)
        head_end = PREFIX_BYTES + self._lengths[0]
        end = head_end + self._lengths[1]
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            head, body = bytes(view[PREFIX_BYTES:head_end]), bytes(view[head_end:end])
        del self._buffer[:end]
        self._lengths = None
        return Frame(_header(head), body)


def _lengths(data: bytes | bytearray, start: int = 0) -> tuple[int, int]:
    head_bytes, body_bytes = _PREFIX.unpack_from(data, start)
    if head_bytes > MAX_HEADER_BYTES:
        raise ValueError(f"a frame's header of {head_bytes} bytes")
    return head_bytes, body_bytes


def _header(raw: bytes | bytearray) -> dict[str, Any]:
    try:
        header, _ = _from_json(raw.decode(), 0)
    except StopIteration:
        raise ValueError("a frame's header is not JSON") from None
    if not isinstance(header, dict):
        raise ValueError("a frame's header is not an object")
    return header


def _read_exactly(sock: socket.socket, count: int, begun: bytes = b"") -> bytearray | None:
    """Read until `count` bytes are there; None where the other side ends before that."""
    data = bytearray(count)
    data[: len(begun)] = begun
    filled = len(begun)
    with memoryview(data) as view:
        while filled < count:
            received = sock.recv_into(view[filled:])
            if not received:
                return None
            filled += received
    return data
