"""Bodies to numpy arrays."""

from __future__ import annotations

from typing import Any

from sagelet.worker.serving.codecs import CODECS


def decode(obj: Any, content_type: str) -> Any:
    """Return a body of a content type as an array.

    Raises:
        UnsupportedFormatError: there is no codec for it.
    """
    return CODECS.decode(obj, content_type)
