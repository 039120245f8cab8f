"""Whether a model's workers are likely to fit into memory: a word of warning, and no refusal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from sagelet.supervision.folder_files import files_below

_MB = 2**20
_WORKER_BYTES = 32 * _MB
"""What a worker has for itself beside its model; the rest it shares with the others."""


def free_bytes() -> int:
    """Return how much memory may be taken without swapping."""
    return int(psutil.virtual_memory().available)


def shortage(root: Path, workers: int, free: Callable[[], int] = free_bytes) -> str:
    """Return what to say of a model that may not fit; nothing if it should. It blocks."""
    size = 0
    for path in files_below(root):
        with suppress(OSError):  # it has just gone
            size += path.stat().st_size
    available = free()
    if workers * (size + _WORKER_BYTES) <= available:
        return ""
    return (
        f"memory may run out: {workers} workers with {_gb(size)} of model files each, and "
        f"{_gb(available)} are free"
    )


def _gb(size: int) -> str:
    return f"{size / _MB:.0f} MB" if size < 1000 * _MB else f"{size / 1000 / _MB:.1f} GB"
