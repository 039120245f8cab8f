"""Arrays, and what is like them, to bodies. The names with an underscore are the toolkit's own."""

from __future__ import annotations

from typing import Any

from sagelet.worker.serving.codecs import CODECS, to_csv, to_json, to_npy

array_to_json = _array_to_json = to_json
array_to_csv = _array_to_csv = to_csv
array_to_npy = _array_to_npy = to_npy

_encoder_map = CODECS.encoders

SUPPORTED_CONTENT_TYPES = set(_encoder_map)


def encode(array_like: Any, content_type: str) -> Any:
    """Return a value as a body of a content type.

    Raises:
        UnsupportedFormatError: there is no codec for it.
    """
    return CODECS.encode(array_like, content_type)
