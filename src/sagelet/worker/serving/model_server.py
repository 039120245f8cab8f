"""The socket that TorchServe's own functions write to, where a project has TorchServe installed.

`send_intermediate_predict_response` packs a part of an answer into the model server's message, big
endian, each text after its length:

    code | message | request id | content type | status | phrase | headers | body | -1
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

_INT = struct.Struct("!i")


class TakesParts(Protocol):
    """What a message's body is handed to."""

    def send_part(self, result: Any) -> None:
        """Send a part of the answer."""
        ...


class ModelServerSocket:
    """Takes the model server's messages apart; only the bodies matter, the context has the rest."""

    def __init__(self, context: TakesParts) -> None:
        """Hand bodies to the context."""
        self._context = context

    def sendall(self, message: bytes) -> None:
        """Send the part of an answer that a message holds."""
        self._context.send_part(_body(message))


def _body(message: bytes) -> bytes:
    place = _INT.size  # the code
    for _ in ("message", "request id", "content type"):
        place += _length(message, place) + _INT.size
    place += _INT.size  # the status
    place += _length(message, place) + _INT.size  # the phrase
    headers = _length(message, place)
    place += _INT.size
    for _ in range(2 * headers):  # names and values
        place += _length(message, place) + _INT.size
    size = _length(message, place)
    return bytes(message[place + _INT.size : place + _INT.size + size])


def _length(message: bytes, place: int) -> int:
    return int(_INT.unpack_from(message, place)[0])
