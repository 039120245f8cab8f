"""Messages of `application/vnd.amazon.eventstream`, as InvokeEndpointWithResponseStream answers.

    total length, headers' length, CRC of these two   12 bytes
    headers: name, type 7 (a string), value
    payload
    CRC of all that                                    4 bytes

See "Event stream encoding" in the Smithy documentation.
"""

from __future__ import annotations

import json
import struct
from binascii import crc32
from collections.abc import Mapping

MEDIA_TYPE = "application/vnd.amazon.eventstream"

# Clients refuse messages of more than 16 MiB (Java) or 24 MiB (Python).
PAYLOAD_AT_MOST = 8 * 2**20

_LENGTHS = struct.Struct("!II")
_CRC = struct.Struct("!I")
_TEXT_LENGTH = struct.Struct("!H")
_STRING = b"\x07"
_FRAME_BYTES = 16


def event(kind: str, payload: bytes) -> bytes:
    """Return an event whose payload is bytes."""
    return message(
        {
            ":message-type": "event",
            ":event-type": kind,
            ":content-type": "application/octet-stream",
        },
        payload,
    )


def exception(kind: str, members: Mapping[str, str]) -> bytes:
    """Return a modelled exception; clients raise it, and read no further."""
    return message(
        {
            ":message-type": "exception",
            ":exception-type": kind,
            ":content-type": "application/json",
        },
        json.dumps(members).encode(),
    )


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message."""
    encoded = b"".join([_header(name, value) for name, value in headers.items()])
    lengths = _LENGTHS.pack(_FRAME_BYTES + len(encoded) + len(payload), len(encoded))
    prelude = lengths + _CRC.pack(crc32(lengths))
    checksum = crc32(payload, crc32(encoded, crc32(prelude)))
    return b"".join((prelude, encoded, payload, _CRC.pack(checksum)))


def _header(name: str, value: str) -> bytes:
    name_bytes, value_bytes = name.encode(), value.encode()
    return b"".join(
        (
            bytes([len(name_bytes)]),
            name_bytes,
            _STRING,
            _TEXT_LENGTH.pack(len(value_bytes)),
            value_bytes,
        )
    )
