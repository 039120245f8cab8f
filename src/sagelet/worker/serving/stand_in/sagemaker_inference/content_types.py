"""The media types that the toolkit names."""

from __future__ import annotations

from sagelet.worker.serving import media_types
from sagelet.worker.serving.media_types import ANY, CSV, JSON, NPY, NPZ, OCTET_STREAM

__all__ = ["ANY", "CSV", "JSON", "NPY", "NPZ", "OCTET_STREAM", "UTF8_TYPES"]

UTF8_TYPES = list(media_types.UTF8_TYPES)
