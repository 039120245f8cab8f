"""Classify one text with what `train.py` has left in `experiments/`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from text_classification.classifier import TextClassifier
from text_classification.experiments import EXPERIMENTS_DIR, LATEST, ExperimentNotFound, find


def main(argv: Sequence[str] | None = None) -> None:
    """Print the answer as JSON."""
    parser = argparse.ArgumentParser(description="Classify a text.")
    parser.add_argument("--experiment-id", default=LATEST)
    parser.add_argument("--experiments-dir", type=Path, default=EXPERIMENTS_DIR)
    parser.add_argument("--text", required=True)
    arguments = parser.parse_args(argv)
    try:
        folder = find(arguments.experiment_id, arguments.experiments_dir)
    except ExperimentNotFound as error:
        raise SystemExit(f"predict.py: {error}") from error
    print(json.dumps(TextClassifier.load(folder).predict([arguments.text]), indent=4))


if __name__ == "__main__":
    main()
