"""What the files of a watched folder held when they were served last.

An event says only that something may have changed. A file counts as changed when its content is
another than what serves; so does one that is new, or gone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from sagelet.supervision.folder_files import files_below

_HASHED_BYTES = 64 * 2**20
"""Larger files (weights) are compared by size and time: reading them would hold an edit up."""
EMPTY = hashlib.sha256().hexdigest()
"""What a file holds that has been emptied, as an editor does before it writes."""
_SETTLED_NS = 2 * 10**9
"""A file that was written so long ago has no second edit hidden behind the same time."""

_Stat: TypeAlias = tuple[int, int, int]


class Fingerprints:
    """Content by path. Every method blocks; call it in a thread."""

    def __init__(self, folder: Path) -> None:
        """Read the folder."""
        self.folder = folder
        self._stats: dict[Path, _Stat | None] = {}
        self._prints: dict[Path, str | None] = {}
        for path in files_below(folder):
            self._stats[path] = _settled(path)
            self._prints[path] = _print_of(path)

    def differing(self, paths: Iterable[Path]) -> dict[Path, str | None]:
        """Return those of some paths whose content differs, with what it is now; None: gone.

        A folder stands for all that is, or was, in it.
        """
        found: dict[Path, str | None] = {}
        for path in paths:
            for file in self._files_of(path):
                now = _print_of(file)
                if now != self._prints.get(file):
                    found[file] = now
        return found

    def accept(self, changes: Mapping[Path, str | None]) -> None:
        """Take changes for what is served now."""
        for path, now in changes.items():
            self._stats.pop(path, None)
            if now is None:
                self._prints.pop(path, None)
            else:
                self._prints[path] = now

    def _files_of(self, path: Path) -> set[Path]:
        """Return the files that a path stands for; of a folder those that may have changed."""
        known = {file for file in self._prints if path in file.parents}
        if not path.is_dir():
            return known | {path}
        return {file for file in known | set(files_below(path)) if not self._is_as_it_was(file)}

    def _is_as_it_was(self, path: Path) -> bool:
        before = self._stats.get(path)
        return before is not None and before == _settled(path)


def _settled(path: Path) -> _Stat | None:
    """Return size, time and inode of a file; None if it is gone, or too young to go by its time."""
    try:
        stat = path.stat()
    except OSError:
        return None
    if time.time_ns() - stat.st_mtime_ns < _SETTLED_NS:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _print_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size > _HASHED_BYTES:
                return f"{size} {path.stat().st_mtime_ns}"
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # it is gone, or cannot be read: a worker could not read it either
