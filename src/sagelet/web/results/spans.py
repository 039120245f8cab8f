"""Labels of parts of a text: `[{"entity": "LOC", "start": 4, "end": 9, "score": 0.98}]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.bars import percent
from sagelet.web.results.context import Context
from sagelet.web.results.values import cut, is_number, scalar_text

_LABELS = ("entity_group", "entity", "label", "type", "tag", "category")
_SCORES = ("score", "probability", "confidence")
_MOST = 500
_MOST_CHARACTERS = 20_000
_LABEL_CHARACTERS = 60
_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Labelled:
    """A part of the text; `label` is empty for what stands between. `colour` counts from 1."""

    text: str
    label: str = ""
    share: str = ""
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Spans:
    """A text and its labels. `apart` overlap others, or lie outside of what is shown."""

    template: ClassVar[str] = "results/spans.html.j2"
    pieces: tuple[Labelled, ...]
    apart: tuple[Labelled, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    label: str
    share: str


def detect(value: object, context: Context) -> Spans | None:
    """Return labels with places in the text that was sent."""
    if not isinstance(value, list) or not value or len(value) > _MOST or context.text is None:
        return None
    marks: list[_Mark] = []
    for each in value:
        mark = _mark(each, len(context.text))
        if mark is None:
            return None
        marks.append(mark)
    context.budget.take(4 * len(marks))
    return _spans(context.text, sorted(marks, key=lambda mark: (mark.start, -mark.end)))


def _mark(value: object, size: int) -> _Mark | None:
    if not isinstance(value, dict):
        return None
    start, end = value.get("start"), value.get("end")
    label = next((value[key] for key in _LABELS if isinstance(value.get(key), str)), None)
    if not isinstance(start, int) or not isinstance(end, int) or label is None:
        return None
    if not 0 <= start < end <= size:
        return None
    score = next((value[key] for key in _SCORES if is_number(value.get(key))), None)
    return _Mark(start, end, cut(label, _LABEL_CHARACTERS), _share(score))


def _share(score: object) -> str:
    if not is_number(score):
        return ""
    return percent(score) if 0 <= score <= 1 else scalar_text(score)


def _spans(text: str, marks: list[_Mark]) -> Spans:
    colours: dict[str, int] = {}
    pieces: list[Labelled] = []
    apart: list[Labelled] = []
    at = 0
    for mark in marks:
        colour = 1 + colours.setdefault(mark.label, len(colours)) % _COLOURS
        shown = Labelled(
            cut(text[mark.start : mark.end], _MOST_CHARACTERS), mark.label, mark.share, colour
        )
        if mark.start < at or mark.end > _MOST_CHARACTERS:
            apart.append(shown)
            continue
        if mark.start > at:
            pieces.append(Labelled(text[at : mark.start]))
        pieces.append(shown)
        at = mark.end
    rest = text[at:_MOST_CHARACTERS]
    if rest:
        pieces.append(Labelled(rest))
    return Spans(tuple(pieces), tuple(apart), is_cut=len(text) > _MOST_CHARACTERS)
