"""What stands behind `s3://`: this machine's buckets, or AWS's. Both have this one shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class FoundObject(NamedTuple):
    """An object as a listing has it; `path` is the file with its bytes, where there is one here.

    `size_bytes` and `etag` are known where the listing tells them: of AWS's objects.
    """

    bucket: str
    key: str
    path: Path | None = None
    size_bytes: int = -1
    etag: str = ""


class ObjectStore(Protocol):
    """Buckets. Every method blocks; a bucket that is not there is BucketNotFound.

    What is read is on this machine afterwards, in a file that must not be written to: it may be
    the stored object itself, or a download that others use, too.

    A store at AWS raises RemoteError (RemoteRefused, RemoteUnreachable, NoCredentials) besides.
    """

    def has_bucket(self, bucket: str) -> bool:
        """Tell whether a bucket is there."""
        ...

    def has_key(self, bucket: str, key: str) -> bool:
        """Tell whether an object is there."""
        ...

    def find(self, bucket: str, prefix: str) -> Iterator[FoundObject]:
        """Yield all objects whose keys start with a prefix, in the order of their keys."""
        ...

    def fetch(self, found: Iterable[FoundObject]) -> Iterator[tuple[FoundObject, Path]]:
        """Yield found objects with their files, in any order; those that are gone are left out."""
        ...

    def path(self, bucket: str, key: str) -> Path:
        """Return the file that holds an object; KeyNotFound where there is none."""
        ...

    def folder(self, bucket: str, prefix: str) -> Path | None:
        """Return the folder that holds the objects below a prefix, where there is such a folder."""
        ...

    def put(self, bucket: str, key: str, source: Path) -> object:
        """Store a file; the object appears whole, or not at all."""
        ...

    def delete(self, bucket: str, key: str) -> bool:
        """Remove an object; False where there is none."""
        ...
