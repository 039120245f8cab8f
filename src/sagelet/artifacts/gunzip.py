"""Gzip files on their way to a job: read to their end, so that a damaged one is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sagelet.artifacts.disk import CHUNK_BYTES
from sagelet.artifacts.tarstream import RefusedTar
from sagelet.artifacts.unpacking import DEFAULT_LIMITS, ArchiveLimits, MeteredGzip
from sagelet.errors import UnsafeArchive

SUFFIX = ".gz"
_MAGIC = b"\x1f\x8b"


def is_gzip(path: Path) -> bool:
    """Tell whether a file begins as a gzip file does, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def gunzip(path: Path, name: str, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """Yield what a gzip file holds, in pieces; all its members, one after the other.

    Raises UnsafeArchive, under the given name, for one that is damaged, cut short, or a bomb.
    """
    try:
        with path.open("rb") as file:
            stream = MeteredGzip(file, limits)
            while piece := stream.read(CHUNK_BYTES):
                yield piece
    except RefusedTar as error:
        raise UnsafeArchive(archive=name, reason=str(error)) from error
