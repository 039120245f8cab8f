"""Request ids: they look like AWS's, and cost no random bits each."""

from __future__ import annotations

import itertools
import uuid

_COUNTED = 48


class RequestIds:
    """UUIDs of which the first 80 bits are this daemon's and the last 48 are counted.

    They are for telling requests apart in logs; nothing is kept secret by them.
    """

    def __init__(self) -> None:
        """Begin somewhere."""
        start = uuid.uuid4()
        self._prefix = str(start)[:-12]
        self._numbers = itertools.count(start.int & ((1 << _COUNTED - 1) - 1))

    def next(self) -> str:
        """Return one that was not returned before."""
        return f"{self._prefix}{next(self._numbers):012x}"
