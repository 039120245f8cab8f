"""How much of the disk the state directory takes, folder by folder."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Used:
    """A folder, or a file, of the state directory; `is_all` is false where it was not counted out.

    What links lead to is not counted.
    """

    name: str
    size_bytes: int
    is_all: bool = True


def disk_use(root: Path, *, within_s: float = _PATIENCE_S) -> list[Used]:
    """Return what the entries of a folder take, the largest first. It blocks, but not for long."""
    until = time.monotonic() + within_s
    try:
        paths = sorted(root.iterdir())
    except OSError:
        return []
    found = [_used(path, until) for path in paths]
    return sorted(found, key=lambda each: -each.size_bytes)


def _used(path: Path, until: float) -> Used:
    if path.is_symlink() or not path.is_dir():
        return Used(path.name, _size_of(path))
    total = 0
    for folder, _, files in os.walk(path):
        if time.monotonic() > until:
            return Used(path.name, total, is_all=False)
        total += sum(_size_of(Path(folder, file)) for file in files)
    return Used(path.name, total)


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:
        return 0  # it has gone meanwhile
