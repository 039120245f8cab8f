"""How the network learns: batches, epochs, and the choice of the best one."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from text_classification.data import Row
from text_classification.model import SIZES, TextCNN
from text_classification.preprocess import preprocess
from text_classification.vocabulary import Batch, Vocabulary

_MIXED_LENGTHS = 4


class Example(NamedTuple):
    """A row as the model takes it."""

    words: list[str]
    label: int


class Evaluation(NamedTuple):
    """How well a model does on some rows."""

    loss: float
    accuracy: float


def as_examples(rows: Iterable[Row], labels: Sequence[str]) -> list[Example]:
    """Return the rows as the model takes them."""
    return [Example(preprocess(text).split(), labels.index(label)) for text, label in rows]


def log(**values: float) -> None:
    """Print a line such as `epoch=3 train_loss=0.4102`, which a metric definition can match."""
    print(*(f"{name}={round(value, 4)}" for name, value in values.items()), flush=True)


def fit(
    model: TextCNN,
    vocabulary: Vocabulary,
    train: Sequence[Example],
    validation: Sequence[Example],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> int:
    """Train the model; leave it as it was after the epoch that was best on the validation rows.

    Returns that epoch's number; they count from 1.
    """
    shuffle = random.Random(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    steps = epochs * -(-len(train) // batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    best_epoch, best, best_weights = 0, Evaluation(0, 0), model.state_dict()
    for epoch in range(1, epochs + 1):
        started = time.monotonic()
        model.train()
        total_loss = 0.0
        for batch, labels in _batches(model, vocabulary, train, batch_size, shuffle):
            loss = functional.cross_entropy(model(batch), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total_loss += loss.item() * len(labels)
        found = evaluate(model, vocabulary, validation)
        log(
            epoch=epoch,
            train_loss=total_loss / len(train),
            val_loss=found.loss,
            val_accuracy=found.accuracy,
            seconds=time.monotonic() - started,
        )
        if not best_epoch or (found.accuracy, -found.loss) > (best.accuracy, -best.loss):
            best_epoch, best = epoch, found
            best_weights = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return best_epoch


@torch.inference_mode()
def evaluate(model: TextCNN, vocabulary: Vocabulary, examples: Sequence[Example]) -> Evaluation:
    """Return the model's loss and accuracy on some rows."""
    model.eval()
    loss, right = 0.0, 0
    for batch, labels in _batches(model, vocabulary, examples, size=256):
        scores = model(batch)
        loss += functional.cross_entropy(scores, labels, reduction="sum").item()
        right += int((scores.argmax(1) == labels).sum())
    return Evaluation(loss / len(examples), right / len(examples))


def _batches(
    model: TextCNN,
    vocabulary: Vocabulary,
    examples: Sequence[Example],
    size: int,
    shuffle: random.Random | None = None,
) -> Iterator[tuple[Batch, Tensor]]:
    """Yield batches of texts of about the same length, so that little of them is padding."""

    def length(example: Example) -> float:
        return len(example.words) + (shuffle.uniform(0, _MIXED_LENGTHS) if shuffle else 0)

    ordered = sorted(examples, key=length)
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    if shuffle:
        shuffle.shuffle(parts)
    device = model.linear.weight.device
    for part in parts:
        batch = vocabulary.batch([example.words for example in part], min_length=max(SIZES))
        yield batch.to(device), torch.tensor([example.label for example in part], device=device)
