"""SageMaker's toolkits for projects that import them and do not have them installed.

The container has `sagemaker_inference` and `sagemaker_pytorch_serving_container`; handlers import
the encoder, the decoder, content types, errors and default handlers from them. `offer` makes ours
importable under those names, last of all places. What runs a container (its server, its
transformer) is there to be imported and refuses to run.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FOLDER = str(Path(__file__).resolve().parent)
NAMES = ("sagemaker_inference", "sagemaker_pytorch_serving_container")


def offer() -> bool:
    """Make the stand-ins importable; where the real packages are, they are found before them."""
    if all(importlib.util.find_spec(name) is not None for name in NAMES):
        return False
    sys.path.append(_FOLDER)
    return True


def withdraw() -> None:
    """Undo `offer`, where it did anything."""
    if _FOLDER in sys.path:
        sys.path.remove(_FOLDER)
        for name in [name for name in sys.modules if name.partition(".")[0] in NAMES]:
            del sys.modules[name]
