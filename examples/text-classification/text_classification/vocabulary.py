"""From words to rows of the embedding table.

A word that was seen twice or more has a row of its own. Every word also has the rows of its letter
groups, such as `<te`, `ten`, `tenn`, …, `is>` for "tennis", which words that look alike share. So
there is no unknown word.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

_GROUP_SIZES = (3, 4)
_LONGEST_WORD = 32
_REMEMBERED_WORDS = 50_000


class Batch(NamedTuple):
    """Texts as tensors: each different word once, and where in the texts it stands."""

    rows: Tensor  # the embedding rows of all words, one word after the other
    starts: Tensor  # where in `rows` each word begins
    positions: Tensor  # (texts, longest text): which word stands there; 0 beyond a text's end
    lengths: Tensor  # (texts,): the number of words

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(tensor.to(device) for tensor in self))


class Vocabulary:
    """The known words, and the number of rows that letter groups are hashed to."""

    def __init__(self, words: Sequence[str], *, group_rows: int) -> None:
        self.words = list(words)
        self.group_rows = group_rows
        self._row_of = {word: row for row, word in enumerate(words)}
        self._rows_of = lru_cache(maxsize=_REMEMBERED_WORDS)(self._look_up)

    @classmethod
    def build(
        cls, texts: Iterable[Sequence[str]], *, min_count: int = 2, group_rows: int = 2**14
    ) -> Vocabulary:
        """Return the vocabulary of texts, each a sequence of words."""
        counts = Counter(word for words in texts for word in words)
        words = [word for word, count in counts.most_common() if count >= min_count]
        return cls(words, group_rows=group_rows)

    def __len__(self) -> int:
        """Return the number of rows that the embedding table needs."""
        return len(self.words) + self.group_rows

    def batch(self, texts: Sequence[Sequence[str]], *, min_length: int) -> Batch:
        """Return texts, each a sequence of words, as tensors of at least `min_length` positions."""
        places: dict[str, int] = {}
        longest = max([min_length, *map(len, texts)])
        positions = [
            [places.setdefault(word, len(places)) for word in words] + [0] * (longest - len(words))
            for words in texts
        ]
        rows: list[int] = []
        starts: list[int] = []
        for word in places or [""]:  # the padding needs a word, even where no text has one
            starts.append(len(rows))
            rows.extend(self._rows_of(word))
        lengths = [len(words) for words in texts]
        return Batch(
            *(torch.tensor(each, dtype=torch.long) for each in (rows, starts, positions, lengths))
        )

    def _look_up(self, word: str) -> list[int]:
        spelled = f"<{word[:_LONGEST_WORD]}>"
        groups = sorted(
            {
                spelled[start : start + size]
                for size in _GROUP_SIZES
                for start in range(len(spelled) - size + 1)
            }
        )
        # crc32, since Python's own hash() of a text differs from process to process.
        hashed = [
            len(self.words) + zlib.crc32(group.encode()) % self.group_rows for group in groups
        ]
        return [self._row_of[word], *hashed] if word in self._row_of else hashed
