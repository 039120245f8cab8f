"""What a file holds where nobody says: media types by suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

JSON = "application/json"
CSV = "text/csv"
OCTETS = "application/octet-stream"

BY_SUFFIX: Mapping[str, str] = {
    ".json": JSON,
    ".jsonl": "application/jsonlines",
    ".csv": CSV,
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".txt": "text/plain",
    ".html": "text/html",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
    ".parquet": "application/x-parquet",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
}
"""Written out, since Python's `mimetypes` answers differently from machine to machine."""

_SUFFIXES = {media_type: suffix for suffix, media_type in reversed(tuple(BY_SUFFIX.items()))}


def media_type_of(path: PurePath) -> str:
    """Return the media type of a file by its suffix, in any case; octets for an unknown one."""
    return BY_SUFFIX.get(path.suffix.lower(), OCTETS)


def essence(media_type: str | None) -> str:
    """Return a media type without its parameters, in lower case."""
    return (media_type or "").partition(";")[0].strip().lower()


def suffix_of(media_type: str | None) -> str:
    """Return the suffix that a file of a media type gets; `.bin` for an unknown one."""
    return _SUFFIXES.get(essence(media_type), ".bin")
