"""What was sent, as rows: which results belong to which inputs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from sagelet.domain.media import CSV, JSON, essence
from sagelet.web.results.values import compact, read_json

_SHOWN_CHARACTERS = 2000
_READ_BYTES = 30 * 2**20
_LINES = ("application/jsonlines", "application/jsonl", "application/x-ndjson")
_TEXT_KEYS = ("text", "inputs", "input", "sentence", "document", "question", "prompt", "data")


@dataclass(frozen=True, slots=True)
class Row:
    """One input. `text` is the text in it, if there is just one; `shown` is never too long."""

    shown: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class InputRows:
    """A payload's value; `_NOTHING` where it has none, such as an image's.

    A line of CSV is a tuple of its cells, or the one cell that it has.
    """

    value: object

    @property
    def text(self) -> str | None:
        """The one text that was sent, if there was one."""
        return None if self.value is _NOTHING else _text_of(self.value)

    def matching(self, count: int) -> tuple[object, ...] | None:
        """Return the inputs of `count` results, in order; None where that is not clear."""
        value = self.value
        if value is _NOTHING or not count:
            return None
        if isinstance(value, list) and len(value) == count:
            return tuple(value)
        if isinstance(value, dict):
            lists = [v for v in value.values() if isinstance(v, list) and len(v) == count]
            if len(lists) == 1:
                return tuple(lists[0])
        if count == 1 and not isinstance(value, list):
            return (value,)
        return None


def row_of(value: object) -> Row:
    """Return one input as it is shown."""
    if isinstance(value, tuple):
        return Row(", ".join(value)[:_SHOWN_CHARACTERS])
    text = _text_of(value)
    shown = compact(value, _SHOWN_CHARACTERS) if text is None else text[:_SHOWN_CHARACTERS]
    return Row(shown, text)


def sent_rows(body: bytes, content_type: str | None) -> InputRows:
    """Return a payload as rows."""
    if len(body) > _READ_BYTES:
        return NOTHING_SENT
    try:
        return InputRows(_read(body.decode("utf-8"), essence(content_type)))
    except (ValueError, csv.Error):
        return NOTHING_SENT


def _read(text: str, kind: str) -> object:
    if kind == JSON or kind.endswith("+json"):
        return read_json(text).value
    if kind in _LINES:
        return [read_json(line).value for line in text.splitlines() if line.strip()]
    if kind == CSV:
        return [row[0] if len(row) == 1 else tuple(row) for row in csv.reader(io.StringIO(text))]
    if kind.startswith("text/"):
        return text
    if not kind or kind == "application/octet-stream":
        return read_json(text).value
    return _NOTHING


def _text_of(value: object, depth: int = 0) -> str | None:
    if isinstance(value, str):
        return value
    if depth > 3:
        return None
    if isinstance(value, list) and len(value) == 1:
        return _text_of(value[0], depth + 1)
    if isinstance(value, dict):
        return _text_in(value, depth)
    return None


def _text_in(value: dict[str, object], depth: int) -> str | None:
    for key in _TEXT_KEYS:
        if key in value:
            found = _text_of(value[key], depth + 1)
            if found is not None:
                return found
    texts = [each for each in value.values() if isinstance(each, str)]
    return texts[0] if len(texts) == 1 else None


_NOTHING = object()
NOTHING_SENT = InputRows(_NOTHING)
