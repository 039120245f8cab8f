"""Train the classifier: alone, as a training job on this machine, or on SageMaker.

    python train.py --epochs 6

A training job gets its hyperparameters as options, and finds its folders in the variables
SM_CHANNEL_TRAINING, SM_MODEL_DIR and SM_OUTPUT_DATA_DIR. Where these are not set, the script reads
`data/` and writes `experiments/<id>/`, which `experiments/latest` then points to.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from text_classification import data
from text_classification.classifier import TextClassifier, best_device
from text_classification.experiments import EXPERIMENTS_DIR, LATEST, new_experiment
from text_classification.model import Shape, TextCNN
from text_classification.training import as_examples, evaluate, fit, log
from text_classification.vocabulary import Vocabulary


def main(argv: Sequence[str] | None = None) -> None:
    """Train, report and save."""
    arguments = parse_arguments(argv)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    parts = data.split(data.load(arguments.data_dir, arguments.data_url))
    labels = sorted({row.label for row in parts.train})
    train, validation, test = (as_examples(part, labels) for part in parts)
    log(train_rows=len(train), validation_rows=len(validation), test_rows=len(test))

    vocabulary = Vocabulary.build(example.words for example in train)
    shape = Shape(*(getattr(arguments, name) for name in Shape._fields))
    model = TextCNN(len(vocabulary), len(labels), shape).to(best_device())
    best_epoch = fit(
        model,
        vocabulary,
        train,
        validation,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
    )
    metrics = {
        "best_epoch": best_epoch,
        "val_accuracy": evaluate(model, vocabulary, validation).accuracy,
        "test_accuracy": evaluate(model, vocabulary, test).accuracy,
    }
    log(**metrics)
    save(TextClassifier(model, vocabulary, labels), metrics, arguments)


def save(
    classifier: TextClassifier, metrics: Mapping[str, float], arguments: argparse.Namespace
) -> None:
    """Write the model where the job wants it, or into a new experiment."""
    if arguments.model_dir is None:
        with new_experiment(arguments.experiments_dir) as folder:
            classifier.save(folder)
            _write_metrics(folder, metrics, arguments)
        print(f"saved {arguments.experiments_dir.name}/{LATEST}")
        return
    arguments.model_dir.mkdir(parents=True, exist_ok=True)
    classifier.save(arguments.model_dir)
    _write_metrics(arguments.model_dir, metrics, arguments)


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options; where an option names a folder, an SM_* variable is its default."""
    parser = argparse.ArgumentParser(description="Train the text classifier.")
    add = parser.add_argument
    add("--epochs", type=_positive, default=6)
    add("--batch-size", type=_positive, default=128)
    add("--learning-rate", type=float, default=0.004)
    for name, value in Shape._field_defaults.items():
        add(f"--{name.replace('_', '-')}", type=type(value), default=value)
    add("--seed", type=int, default=1)
    # The tensors are small: a second thread gains little, and loses much where cores are shared.
    add("--threads", type=_positive, default=1)
    add("--data-url", help="a CSV with the columns text and label: http(s) or a path")
    add("--experiments-dir", type=Path, default=EXPERIMENTS_DIR, help="of plain runs")
    channel, model_dir, output_dir = map(
        os.environ.get, ("SM_CHANNEL_TRAINING", "SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR")
    )
    add("--data-dir", type=Path, default=channel or data.DATA_DIR, help="of the default data")
    add("--model-dir", type=Path, default=model_dir, help="default: a new experiment")
    add("--output-data-dir", type=Path, default=output_dir, help="default: beside the model")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _write_metrics(
    model_dir: Path, metrics: Mapping[str, float], arguments: argparse.Namespace
) -> None:
    options = vars(arguments).items()
    hyperparameters = {
        name: value for name, value in options if isinstance(value, int | float | str)
    }
    folder = arguments.output_data_dir or model_dir
    folder.mkdir(parents=True, exist_ok=True)
    report = json.dumps({**metrics, "hyperparameters": hyperparameters}, indent=4)
    (folder / "metrics.json").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
