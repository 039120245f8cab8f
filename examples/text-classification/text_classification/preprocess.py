"""From a text to the words that the model sees."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def preprocess(text: str) -> str:
    """Return the words of a text, in lower case, without punctuation, one space between them."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))
