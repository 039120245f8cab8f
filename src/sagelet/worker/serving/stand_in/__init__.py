"""A `sagemaker_inference` for projects that import it and do not have it installed.

The container has SageMaker's own package; handlers import its encoder, decoder, content types and
errors. `offer` makes ours importable under that name, last of all places.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

NAME = "sagemaker_inference"


def offer() -> bool:
    """Make the stand-in importable, unless the real package is there."""
    if importlib.util.find_spec(NAME) is not None:
        return False
    sys.path.append(str(Path(__file__).resolve().parent))
    return True
