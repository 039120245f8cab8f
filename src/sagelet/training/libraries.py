"""How a runner reaches the packages that we depend on, though it begins without site-packages.

A look there takes longer than all else that a runner imports; what packs archives is imported when
a job has run, and then found by the folder that the daemon names.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "SAGELET_LIBRARIES"
"""Of a runner's environment: the folder of our dependencies."""


def variable() -> dict[str, str]:
    """Return what a runner's environment needs to have."""
    found = importlib.util.find_spec("isal")
    if found is None or found.origin is None:
        return {}
    return {VARIABLE: str(Path(found.origin).parents[1])}


def reach(environ: Mapping[str, str]) -> None:
    """Find the dependencies, after everything else."""
    folder = environ.get(VARIABLE)
    if folder and folder not in sys.path:
        sys.path.append(folder)
