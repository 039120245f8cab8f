"""The endpoint that the pages show: it answers like the first article's, and needs no training."""

from __future__ import annotations

import shutil
from pathlib import Path

NAME = "text-classification"
LABELS = ("New York Times editorials", "Movie reviews", "Tweets", "Amazon reviews")
SENTENCE = "The Wimbledon tennis tournament starts next week!"
BODY = b'[["The Wimbledon tennis tournament starts next week!"]]'

_PROJECT = Path(__file__).parent / "article_model"


def a_model_folder(into: Path) -> Path:
    """Copy the model's folder, so that a test can edit its code; return the copy."""
    return Path(shutil.copytree(_PROJECT, into))
