"""Arrays, and what is like them, to bodies."""

from __future__ import annotations

from typing import Any

from sagelet.worker.serving.codecs import CODECS

SUPPORTED_CONTENT_TYPES = set(CODECS.media_types)


def encode(array_like: Any, content_type: str) -> Any:
    """Return a value as a body of a content type.

    Raises:
        UnsupportedFormatError: there is no codec for it.
    """
    return CODECS.encode(array_like, content_type)
