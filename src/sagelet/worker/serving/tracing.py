"""Marks in a worker's output: between the two of a request lies what was printed during it.

The daemon makes a token for each request whose lines it wants, and takes the marks out of what it
reads. No handler knows the token, so none can make a mark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MARK = b"\x1e"
BEGIN = b"+"
END = b"-"
TOKEN_CHARACTERS = 32
MARK_BYTES = len(MARK) + TOKEN_CHARACTERS + len(BEGIN)


class Tracing:
    """Writes marks to the worker's output, wherever handlers have led theirs to."""

    def __init__(self) -> None:
        """Keep the output that this process was started with."""
        self._output = os.dup(1)

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
        try:
            os.write(self._output, MARK + token.encode("ascii") + kind)
        except OSError:
            return  # nobody reads, and nobody asks for the lines


def flush(stream: Any) -> None:
    """Let out what a stream holds back."""
    try:
        stream.flush()
    except (AttributeError, OSError, ValueError):
        return  # a handler closed it or put something else in its place, or nobody reads it
