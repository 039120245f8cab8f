"""How a runner reaches the packages that we depend on, though it begins without site-packages.

A look there takes longer than all else that a runner imports; what packs archives is imported when
a job has run, and then found in the folder that the daemon names.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def folder() -> str:
    """Return the folder of our dependencies; empty where they are in no folder."""
    found = importlib.util.find_spec("isal")
    return "" if found is None or found.origin is None else str(Path(found.origin).parents[1])


def reach(folder: str) -> None:
    """Find the dependencies, after everything else."""
    if folder and folder not in sys.path:
        sys.path.append(folder)
