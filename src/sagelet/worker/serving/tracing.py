"""Marks in a worker's output: between the two of a request lies what was printed during it.

The daemon makes a token for each request whose lines it wants, and takes the marks out of what it
reads. No handler knows the token, so none can make a mark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

MARK = b"\x1e"
BEGIN = b"+"
END = b"-"
TOKEN_CHARACTERS = 32
MARK_BYTES = len(MARK) + TOKEN_CHARACTERS + len(BEGIN)


class Tracing:
    """Writes marks to the worker's output, as long as a handler has left it open."""

    def __init__(self) -> None:
        """Remember which pipe this process was started with.

        It is not kept open: a handler that closes its output means the end of the log.
        """
        self._pipe = _file_of(1)

    @contextmanager
    def of(self, token: str) -> Iterator[None]:
        """Mark the beginning and the end of a request."""
        self._mark(token, BEGIN)
        try:
            yield
        finally:
            self._mark(token, END)

    def _mark(self, token: str, kind: bytes) -> None:
        """Let out what is held back in Python and in C, then write a mark."""
        import ctypes  # few workers are ever traced

        flush(sys.stdout)
        flush(sys.stderr)
        ctypes.CDLL(None).fflush(None)
        for descriptor in (1, 2):
            if self._pipe is not None and _file_of(descriptor) == self._pipe:
                with suppress(OSError):  # nobody reads, and nobody will ask for the lines
                    os.write(descriptor, MARK + token.encode("ascii") + kind)
                return


def _file_of(descriptor: int) -> tuple[int, int] | None:
    """Return which file a descriptor is of; None where it is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def flush(stream: Any) -> None:
    """Let out what a stream holds back."""
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # a handler closed it or put something else in its place, or nobody reads it
