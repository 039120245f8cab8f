"""An answer in parts: generators, iterators, and what handlers send before they return.

Each part is one frame; with nobody to send them to, the parts are kept and joined.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, Protocol


class StreamCancelled(BaseException):
    """Nobody wants the rest. Not an Exception, so that handlers which catch those do end."""


class Sink(Protocol):
    """Where the parts of an answer go."""

    def begin(self, header: Mapping[str, Any]) -> None:
        """Send what is known before the first part: status, content type, headers."""
        ...

    def part(self, asked: Any, body: bytes) -> bool:
        """Send a part of the answer to request `asked`; False once nobody wants more."""
        ...


class Stream:
    """The answer to one request, part by part."""

    def __init__(
        self, asked: Any, sink: Sink | None, begin: Callable[[], Mapping[str, Any]]
    ) -> None:
        """Send nothing yet; `begin` makes the header, when the first part is there."""
        self._asked = asked
        self._sink = sink
        self._begin = begin
        self._kept: list[bytes] = []
        self.is_begun = False

    def send(self, part: bytes) -> None:
        """Send a part.

        Raises:
            StreamCancelled: nobody wants it.
        """
        if self._sink is None:
            self._kept.append(part)
            return
        if not self.is_begun:
            self.is_begun = True
            self._sink.begin(self._begin())
        if part and not self._sink.part(self._asked, part):
            raise StreamCancelled

    def taken(self) -> bytes:
        """Return the parts that were kept, joined; nothing where they were sent."""
        kept, self._kept = self._kept, []
        return b"".join(kept)


def send_intermediate_predict_response(
    ret: Sequence[Any], req_id_map: Mapping[int, str], message: str, code: int, context: Any
) -> None:
    """Send `ret[0]`, a part of the answer to the current request: TorchServe's call.

    `req_id_map` is `context.request_ids`; `message` and `code` are the model server's own.
    """
    del message, code
    if os.environ.get("LOCAL_RANK", "0") == "0":  # of several processes, the first one answers
        for place in req_id_map:
            context.send_part(ret[place])


def is_stream(result: object) -> bool:
    """Whether a result is produced while it is sent: a generator, or any other iterator."""
    return not isinstance(result, (str, bytes)) and isinstance(result, Iterator)  # ABCs are slow


def close(result: object) -> None:
    """End a generator, so that its `finally` runs now."""
    closing = getattr(result, "close", None)
    if callable(closing):
        closing()
