"""Phrases that decided, underlined in the text that was sent.

"top_n_grams": {"2": "starts next", "3": "wimbledon tennis tournament"}

Case, punctuation, accents and spaces are overlooked, for a model sees preprocessed words. A phrase
that is not found is listed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import cut

_KEYS = ("top_n_grams", "top_ngrams", "n_grams", "ngrams", "top_phrases")
_MOST_CHARACTERS = 20_000
_MOST_PHRASES = 60
_MOST_PLACES = 200
_PHRASE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text, and the sizes of the phrases that cover it, in their order."""

    text: str
    sizes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase. `size` is the n of its n-gram, `track` the number of its line, from 1."""

    size: str
    track: int
    text: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class Grams:
    """A text with its phrases; no pieces where the text is not known.

    `track_of` numbers the lines below the text; `is_cut` tells that only its beginning is shown.
    """

    template: ClassVar[str] = "results/grams.html.j2"
    pieces: tuple[Piece, ...]
    phrases: tuple[Phrase, ...]
    is_cut: bool = False

    @property
    def missing(self) -> tuple[Phrase, ...]:
        """The phrases that are not in the text."""
        return tuple(each for each in self.phrases if not each.is_found)

    @property
    def track_of(self) -> dict[str, int]:
        """The line of each size."""
        return {each.size: each.track for each in self.phrases}


def detect(value: object, context: Context) -> Grams | None:
    """Return phrases by their length, under one of the names that they go by."""
    if context.key not in _KEYS or not isinstance(value, dict) or not value:
        return None
    wanted: list[tuple[str, str]] = []
    for size, phrases in value.items():
        texts = phrases if isinstance(phrases, list) else [phrases]
        if len(size) > 20 or not all(isinstance(each, str) for each in texts):
            return None
        wanted += [(size, str(each)) for each in texts if each]
    context.budget.take(10 * len(wanted))
    return grams(context.text, wanted[:_MOST_PHRASES], list(value))


def grams(text: str | None, wanted: list[tuple[str, str]], sizes: list[str]) -> Grams:
    """Mark phrases, each with its size, in a text."""
    tracks = {size: 1 + number for number, size in enumerate(sizes)}
    shown = "" if text is None else text[:_MOST_CHARACTERS]
    letters = _Letters(shown)
    covers: list[tuple[int, int, str]] = []
    phrases: list[Phrase] = []
    for size, phrase in wanted:
        found = list(letters.find(phrase[:_PHRASE_CHARACTERS]))
        covers += [(start, end, size) for start, end in found]
        phrases.append(
            Phrase(size, tracks[size], cut(phrase, _PHRASE_CHARACTERS), is_found=bool(found))
        )
    return Grams(
        tuple(_pieces(shown, covers, tracks)) if text is not None else (),
        tuple(phrases),
        is_cut=text is not None and len(text) > len(shown),
    )


class _Letters:
    """The letters and digits of a text, folded, and where each of them stands in it."""

    def __init__(self, text: str) -> None:
        self._folded: list[str] = []
        self._places: list[int] = []
        self._begins: list[bool] = []
        begins = True
        for place, character in enumerate(text):
            folded = _fold(character)
            if not folded and not _is_mark(character):
                begins = True
            for letter in folded:
                self._folded.append(letter)
                self._places.append(place)
                self._begins.append(begins)
                begins = False
        self._text = "".join(self._folded)

    def find(self, phrase: str) -> Iterator[tuple[int, int]]:
        """Yield where a phrase stands: whole words, or any part where a script knows no words."""
        wanted = "".join(map(_fold, phrase))
        places = list(self._find(wanted, wants_words=True)) if wanted else []
        if wanted and not places and not any("LATIN" in _name(c) for c in wanted):
            places = list(self._find(wanted, wants_words=False))
        yield from places

    def _find(self, wanted: str, *, wants_words: bool) -> Iterator[tuple[int, int]]:
        at, found = self._text.find(wanted), 0
        while at >= 0 and found < _MOST_PLACES:
            end = at + len(wanted)
            is_whole = self._begins[at] and (end == len(self._text) or self._begins[end])
            if is_whole or not wants_words:
                yield self._places[at], self._places[end - 1] + 1
                found += 1
            at = self._text.find(wanted, at + 1)


def _fold(character: str) -> str:
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(c for c in decomposed if unicodedata.category(c)[0] in "LN")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _name(character: str) -> str:
    return unicodedata.name(character, "")


def _pieces(text: str, covers: list[tuple[int, int, str]], tracks: dict[str, int]) -> list[Piece]:
    edges = sorted({0, len(text), *(e for start, end, _ in covers for e in (start, end))})
    pieces: list[Piece] = []
    for start, end in pairwise(edges):
        sizes = {size for first, last, size in covers if first <= start and end <= last}
        pieces.append(Piece(text[start:end], tuple(sorted(sizes, key=lambda s: tracks[s]))))
    return pieces
