"""Bodies to arrays and back: one table, read by the default handlers and by the stand-in.

The results are byte for byte those of SageMaker's toolkit for PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable

from sagelet.worker.serving import media_types
from sagelet.worker.serving.toolkit_errors import UnsupportedFormatError


@dataclass(frozen=True)
class Codec:
    """How one media type is read and written."""

    media_type: str
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]


class Codecs:
    """Codecs by media type; names are compared exactly."""

    def __init__(self, codecs: Iterable[Codec]) -> None:
        """Index the codecs."""
        self._by_type = {codec.media_type: codec for codec in codecs}

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types that can be read and written."""
        return tuple(self._by_type)

    def decode(self, data: Any, content_type: str | None) -> Any:
        """Return a body as a numpy array.

        Raises:
            UnsupportedFormatError: there is no codec for this content type.
        """
        return self._codec(content_type).decode(data)

    def encode(self, value: Any, content_type: str | None) -> Any:
        """Return an array, or whatever is like one, as a body.

        Raises:
            UnsupportedFormatError: there is no codec for this content type.
        """
        return self._codec(content_type).encode(value)

    def _codec(self, content_type: str | None) -> Codec:
        codec = self._by_type.get(content_type or "")
        if codec is None:
            raise UnsupportedFormatError(content_type)
        return codec


def json_to_array(text: Any) -> Any:
    """Read JSON into a numpy array."""
    import numpy as np

    return np.array(json.loads(text))


def to_json(value: Any) -> str:
    """Write a value as JSON; arrays and tensors inside it become lists."""
    return json.dumps(value, default=_listed)


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return json.JSONEncoder().default(value)


CODECS = Codecs([Codec(media_types.JSON, json_to_array, to_json)])
