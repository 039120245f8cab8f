"""The files of a folder that count: not what editors and Python leave behind, links followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

_NOISY_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache"}
    | {"sagelet-examples"}  # with the predict form's settings, see below
    | {".ruff_cache", ".venv", "venv", ".tox", ".nox", "node_modules"}  # large, and not the user's
)
_NOISY_FILES = (
    "sagelet-ui.json",  # the predict form's settings: no worker reads them
    *("*.pyc", "*.pyo", "*.swp", "*.swx", "*.swo", "*~", ".#*", "#*#", "4913", ".DS_Store"),
    *("*.tmp", "*___jb_tmp___", "*___jb_old___", ".goutputstream-*", ".*.kate-swp"),
)


def is_noise(name: str, *, is_folder: bool) -> bool:
    """Whether a file, or a folder with all in it, is passed over."""
    if is_folder:
        return name in _NOISY_FOLDERS
    return any(fnmatch(name, pattern) for pattern in _NOISY_FILES)


def files_below(folder: Path) -> Iterator[Path]:
    """Walk the files that count below a folder, through links, each real folder once."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_noise(name, is_folder=True))
        yield from (
            Path(place, name) for name in sorted(files) if not is_noise(name, is_folder=False)
        )
