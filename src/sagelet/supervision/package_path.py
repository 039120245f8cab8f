"""A folder that holds our package and nothing else, to go on the PYTHONPATH of workers.

With site-packages there instead, a worker in another interpreter would import our libraries in
place of its own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import sagelet
from sagelet.errors import StateError


def ensure(folder: Path) -> Path:
    """Make the folder, or point it at the package that runs here; return it.

    Raises:
        StateError: it cannot be made, or holds something else.
    """
    package = Path(sagelet.__file__).resolve().parent
    entry = folder / package.name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = sorted(path.name for path in folder.iterdir() if not _is_ours(path, entry))
        if strangers:
            raise StateError(str(folder), f"it holds {', '.join(strangers)}, which is not ours")
        if not (entry.is_symlink() and entry.readlink() == package):
            _point(entry, package)
    except OSError as error:
        raise StateError(str(folder), error.strerror or str(error)) from error
    return folder


def _is_ours(path: Path, entry: Path) -> bool:
    return path == entry or path.name.startswith(f".{entry.name}.")


def _point(entry: Path, package: Path) -> None:
    """Replace what is there in one step, since workers may be starting meanwhile."""
    fresh = entry.with_name(f".{entry.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(package, target_is_directory=True)
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    fresh.replace(entry)
