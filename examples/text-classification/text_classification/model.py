"""A convolutional network over word n-grams that can say which n-grams decided.

    words -> vectors -> filters over each window of 1, 2, 3 and 4 words
          -> each filter's largest value in the text -> one linear layer -> a score for each class

The score of a class is a sum with a term for each filter, and each filter's value comes from one
window of the text: so each window's share in the score is known exactly (Kim 2014,
arXiv:1408.5882, is where the architecture comes from).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from text_classification.vocabulary import Batch

SIZES = (1, 2, 3, 4)
NO_WINDOW = -1


class Shape(NamedTuple):
    """The hyperparameters of the network."""

    dimensions: int = 64
    filters: int = 128
    word_dropout: float = 0.4
    dropout: float = 0.5


class Pooled(NamedTuple):
    """What the filters of one size found in each text."""

    values: Tensor  # (texts, filters): each filter's largest value, 0 where nothing is above it
    windows: Tensor  # (texts, filters): the window that the value comes from
    valid: Tensor  # (texts, windows): whether the window lies within the text


class TextCNN(nn.Module):
    """Scores texts. In training it does without some of the words, so that it learns the others."""

    def __init__(self, rows: int, classes: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.EmbeddingBag(rows, shape.dimensions, mode="mean")
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(shape.dimensions, shape.filters, size) for size in SIZES
        )
        self.word_dropout = nn.Dropout1d(shape.word_dropout)
        self.dropout = nn.Dropout(shape.dropout)
        self.linear = nn.Linear(len(SIZES) * shape.filters, classes)

    def forward(self, batch: Batch) -> Tensor:
        """Return the scores of the classes, before softmax, for each text."""
        return self._scores(self.pool(batch))

    def explain(self, batch: Batch) -> tuple[Tensor, dict[int, list[int]]]:
        """Return the scores, and for each size the window that adds most to the best class's score.

        A window is named by the place of its first word; it is NO_WINDOW in a text that is shorter.
        """
        pooled = self.pool(batch)
        scores = self._scores(pooled)
        weights = self.linear.weight[scores.argmax(1)].chunk(len(SIZES), dim=1)
        return scores, {
            size: _best_window(found, weight)
            for size, found, weight in zip(SIZES, pooled, weights, strict=True)
        }

    def pool(self, batch: Batch) -> list[Pooled]:
        """Return what the filters find, size by size."""
        words = self.embedding(batch.rows, batch.starts)
        texts = self.word_dropout(words[batch.positions]).transpose(1, 2)
        return [
            _largest(convolution(texts), batch.lengths - size + 1)
            for size, convolution in zip(SIZES, self.convolutions, strict=True)
        ]

    def _scores(self, pooled: list[Pooled]) -> Tensor:
        scores: Tensor = self.linear(self.dropout(torch.cat([p.values for p in pooled], dim=1)))
        return scores


def _largest(filtered: Tensor, windows: Tensor) -> Pooled:
    """Return the largest value of each filter over a text's own windows, never over padding."""
    valid = torch.arange(filtered.shape[2], device=filtered.device) < windows[:, None]
    largest = filtered.masked_fill(~valid[:, None], -torch.inf).max(dim=2)
    return Pooled(functional.relu(largest.values), largest.indices, valid)


def _best_window(pooled: Pooled, weights: Tensor) -> list[int]:
    """Return the window of each text whose filters add most, by `weights` (texts, filters)."""
    shares = torch.zeros(pooled.valid.shape, device=weights.device)
    shares = shares.scatter_add(1, pooled.windows, pooled.values * weights)
    best = shares.masked_fill(~pooled.valid, -torch.inf).argmax(1)
    return torch.where(pooled.valid.any(1), best, NO_WINDOW).tolist()
