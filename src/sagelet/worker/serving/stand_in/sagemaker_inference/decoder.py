"""Bodies to numpy arrays. The names with an underscore are the toolkit's own, and in use."""

from __future__ import annotations

from typing import Any

from sagelet.worker.serving.codecs import (
    CODECS,
    csv_to_array,
    json_to_array,
    npy_to_array,
    npz_to_sparse,
)

json_to_numpy = _json_to_numpy = json_to_array
csv_to_numpy = _csv_to_numpy = csv_to_array
npy_to_numpy = _npy_to_numpy = npy_to_array
_npz_to_sparse = npz_to_sparse

_decoder_map = CODECS.decoders


def decode(obj: Any, content_type: str) -> Any:
    """Return a body of a content type as an array.

    Raises:
        UnsupportedFormatError: there is no codec for it.
    """
    return CODECS.decode(obj, content_type)
