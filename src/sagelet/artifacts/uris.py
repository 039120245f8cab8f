"""Where data lies: `s3://bucket/key` and `file:///path`, as values."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from sagelet.errors import InvalidRequest

S3_SCHEME = "s3://"
FILE_SCHEME = "file://"


@dataclass(frozen=True, slots=True)
class S3Uri:
    """An object, or all objects whose keys start with `key`."""

    bucket: str
    key: str = ""

    def child(self, *parts: str) -> S3Uri:
        """Return the URI below this one; exactly one `/` stands between the parts."""
        key = self.key
        for part in parts:
            key = f"{key}{part}" if not key or key.endswith("/") else f"{key}/{part}"
        return S3Uri(self.bucket, key)

    def __str__(self) -> str:
        """Return the `s3://` form."""
        return f"{S3_SCHEME}{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class FileUri:
    """A file or a folder of this machine, by its absolute path."""

    path: Path

    def __str__(self) -> str:
        """Return the `file://` form, percent-encoded."""
        return FILE_SCHEME + quote(os.fsencode(self.path))


def name_of(uri: S3Uri | FileUri) -> str:
    """Return the last part of a path or a key."""
    return uri.path.name if isinstance(uri, FileUri) else uri.key.rpartition("/")[2]


def parse_uri(text: str) -> S3Uri | FileUri:
    """Read a URI; any other scheme raises InvalidRequest, since nothing is ever fetched by URL.

    An S3 key is taken as it stands; a `file://` path is percent-decoded, once.
    """
    if text.startswith(S3_SCHEME):
        return _s3_uri(text)
    if text.startswith(FILE_SCHEME):
        return _file_uri(text)
    raise InvalidRequest(f"{text!r} is neither an s3:// nor a file:// URI.")


def _s3_uri(text: str) -> S3Uri:
    bucket, _, key = text.removeprefix(S3_SCHEME).partition("/")
    if not bucket:
        raise InvalidRequest(f"{text!r} names no bucket.")
    return S3Uri(bucket, key)


def _file_uri(text: str) -> FileUri:
    place = text.removeprefix(FILE_SCHEME).removeprefix("localhost")
    if not place.startswith("/"):
        raise InvalidRequest(f"{text!r} is relative; a file:// URI needs an absolute path.")
    path = unquote_to_bytes(place)
    if b"\0" in path:
        raise InvalidRequest(f"{text!r} holds a NUL.")
    return FileUri(Path(os.fsdecode(path)))
