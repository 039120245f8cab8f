"""A `ts` for handlers that import TorchServe's functions where TorchServe is not installed.

The container has TorchServe; handlers take from it how to send a part of an answer, and the names
of metrics. This folder has an entry of its own on the path: a user's `ts` folder, even one without
an `__init__.py`, is never hidden by it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FOLDER = str(Path(__file__).resolve().parent)
NAME = "ts"


def offer() -> bool:
    """Make the stand-in importable, unless there is a `ts` already."""
    if importlib.util.find_spec(NAME) is not None:
        return False
    sys.path.append(_FOLDER)
    return True


def withdraw() -> None:
    """Undo `offer`, where it did anything."""
    if _FOLDER in sys.path:
        sys.path.remove(_FOLDER)
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]
