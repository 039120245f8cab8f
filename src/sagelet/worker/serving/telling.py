"""What a worker itself has to say in its log, whatever its handlers have done to sys.stderr."""

from __future__ import annotations

import os
import sys

_STDERR = 2


def tell(text: str) -> None:
    """Write to the log: through sys.stderr, or past it where a handler closed or replaced it."""
    try:
        sys.stderr.write(text)
    except (AttributeError, OSError, TypeError, ValueError):
        try:
            os.write(_STDERR, text.encode("utf-8", "backslashreplace"))
        except OSError:
            return  # the descriptor itself is closed: there is no log to write to any more
