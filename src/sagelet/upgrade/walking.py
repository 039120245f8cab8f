"""Which files of a folder a check looks at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sagelet.upgrade.projects import REQUIREMENTS
from sagelet.upgrade.sources import NOTEBOOK, read_bytes

SCRIPTS = (".py", NOTEBOOK)
SHELL = ".sh"
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


def files_under(path: Path, *, model: Path | None) -> Iterator[Path]:
    """Yield what is to be looked at under a path; a model's folder is one thing."""
    if not path.is_dir() or path == model:
        yield path
        return
    for root, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(root, name)))
        for name in sorted(names):
            file = Path(root, name)
            if file.suffix in (*SCRIPTS, SHELL) or is_requirements(file):
                yield file


def _is_skipped(folder: Path) -> bool:
    """Whether a folder is none of the project's own."""
    if folder.name in _SKIPPED or folder.name.startswith("."):
        return True
    return (folder / "pyvenv.cfg").exists()


def is_requirements(path: Path) -> bool:
    """Whether a file is a requirements.txt, by its name."""
    return path.suffix == ".txt" and path.name.startswith(Path(REQUIREMENTS).stem)


def is_python(path: Path) -> bool:
    """Whether a file without a suffix is a script by its first line."""
    if path.suffix:
        return False
    first = read_bytes(path)[:100].partition(b"\n")[0]
    return first.startswith(b"#!") and b"python" in first
