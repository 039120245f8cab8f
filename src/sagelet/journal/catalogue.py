"""What is kept: names of groups and streams, and what is said of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sagelet.journal.names import name_of
from sagelet.journal.pages import GroupInfo, StreamInfo
from sagelet.journal.reading import StreamFile

# A group's own file, older than every stream in it.
MARK = ".group"


def names_in(folder: Path, prefix: str) -> Iterator[str]:
    """Find the groups, or the streams, that a folder holds."""
    try:
        files = list(folder.iterdir())
    except FileNotFoundError:
        return
    for file in files:
        name = None if file.name.startswith(".") else name_of(file.name)
        if name is not None and name.startswith(prefix):
            yield name


def written_ms(path: Path) -> int:
    """Return when a file was last written to, 0 if it is gone."""
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0


def size_bytes(path: Path) -> int:
    """Return how large a file is, 0 if it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def describe_stream(name: str, path: Path) -> StreamInfo:
    """Say what there is to say of a stream; one that is gone has no events."""
    try:
        file = StreamFile(path)
    except FileNotFoundError:
        return StreamInfo(name=name, created_ms=0, written_ms=0, first_ms=None, last_ms=None)
    first_ms = next((entry.ms for entry in file.entries(0, file.end)), None)
    return StreamInfo(
        name=name,
        # An empty file was last written to when it was made.
        created_ms=first_ms or written_ms(path),
        written_ms=written_ms(path),
        first_ms=first_ms,
        last_ms=file.floor_at(file.end) or None,
    )


def describe_group(name: str, folder: Path) -> GroupInfo:
    """Say what there is to say of a group."""
    return GroupInfo(
        name=name,
        created_ms=written_ms(folder / MARK) or written_ms(folder),
        size_bytes=sum(
            size_bytes(file) for file in folder.iterdir() if not file.name.startswith(".")
        ),
    )
