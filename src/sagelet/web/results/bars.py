"""Labels with a number each: probabilities as bars, scores that are none as a table with softmax.

{"Sports": 0.93, "World": 0.07}                       [{"label": "Sports", "score": 0.93}, …]
{"labels": ["Sports", …], "scores": [0.93, …]}        [0.93, 0.07], which sums to 1
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from sagelet.web.results.context import Context
from sagelet.web.results.values import cut, finite, is_number, number_text, scalar_text

SHOWN = 10
"""So many bars are shown at once."""

_MOST = 1000
_LABEL_CHARACTERS = 300
_FUZZ = 1e-6
_ONE_WITHIN = 0.01
_LABELS = ("label", "class", "name", "category", "entity", "class_name", "classname")
_SCORES = ("score", "probability", "prob", "confidence", "likelihood")
_NUMBERS_OF_LABELS = frozenset(("id", "index", "rank", "label_id", "class_id"))
_MANY_LABELS = ("labels", "classes", "class_names", "label_names", "categories", "names")
_MANY_SCORES = ("scores", "probabilities", "probs", "confidences", "likelihoods", "logits")
_COORDINATES = frozenset(
    (
        *("x", "y", "w", "h", "left", "top", "right", "bottom", "width", "height"),
        *("x0", "y0", "x1", "y1", "x2", "y2", "xmin", "ymin", "xmax", "ymax"),
        *("lat", "lon", "lng", "latitude", "longitude"),
    )
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One label. `width` is of 100, `share` what people read, `exact` the number as it came."""

    label: str
    value: float
    share: str
    exact: str
    width: float
    is_top: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Labels by falling number. `total` is the sum, where it is not 1; `more` bars are left out.

    `softmax` are the probabilities that scores would be, if they are logits.
    """

    template: ClassVar[str] = "results/bars.html.j2"
    shown: tuple[Bar, ...]
    rest: tuple[Bar, ...] = ()
    total: str = ""
    more: int = 0
    softmax: tuple[Bar, ...] = ()

    @property
    def count(self) -> int:
        """How many labels there are."""
        return len(self.shown) + len(self.rest) + self.more

    @property
    def all(self) -> tuple[Bar, ...]:
        """Those that are in the page."""
        return (*self.shown, *self.rest)


Pairs = list[tuple[str, float]]


def detect(value: object, context: Context) -> Bars | None:
    """Return labels with numbers as bars."""
    pairs = _pairs(value, context)
    if not pairs or not all(finite(number) for _, number in pairs):
        return None
    if all(_may_be_probability(number) for _, number in pairs):
        return _bars(pairs, context.budget.take(min(len(pairs), _MOST), least=SHOWN))
    if not _are_scores(value, context):
        return None
    return _scores(pairs, context.budget.take(min(len(pairs), _MOST) * 2, least=SHOWN) // 2)


def _pairs(value: object, context: Context) -> Pairs | None:
    if isinstance(value, dict):
        return _single(value) or _parallel(value) or _mapping(value, context)
    if isinstance(value, list) and value:
        named = _named(value, context)
        return named or _labelled(value, context) or _distribution(value, context)
    return None


def _mapping(value: dict[str, object], context: Context) -> Pairs | None:
    if not value or _COORDINATES.issuperset(key.lower() for key in value):
        return None
    found = _numbers(value.keys(), value.values())
    if found is None:
        return None
    is_named = _says_scores(context.key)
    if len(found) == 1 and not is_named:
        return None
    has_fraction = any(isinstance(number, float) for _, number in found)
    is_whole = math.isclose(_sum(found), 1.0)
    return found if is_named or has_fraction or is_whole else None


def _single(value: dict[str, object]) -> Pairs | None:
    return _entry(value) if len(value) == 2 else None


def _entry(value: object) -> Pairs | None:
    """Read `{"label": …, "score": …}`, which may have a number of the label besides."""
    if not isinstance(value, dict) or not 2 <= len(value) <= 3:
        return None
    names = {key.lower(): key for key in value}
    if len(value) == 3 and _NUMBERS_OF_LABELS.isdisjoint(names):
        return None
    label = next((names[each] for each in _LABELS if each in names), None)
    score = next((names[each] for each in _SCORES if each in names), None)
    if label is None or score is None:
        return None
    return _numbers([_label(value[label])], [value[score]])


def _labelled(value: list[object], context: Context) -> Pairs | None:
    if _entry(value[0]) is None:
        return None
    found: Pairs = []
    for each in value:
        pair = _entry(each)
        if pair is None:
            return None
        found += pair
    if len(value) > 1 and context.sent.matching(len(value)) and not _are_one_whole(found):
        return None  # the best label of each input, rather than the labels of one
    return found


def _parallel(value: dict[str, object]) -> Pairs | None:
    """Read labels and scores that stand side by side, and nothing of weight besides."""
    names = {key.lower(): key for key in value}
    label = next((names[each] for each in _MANY_LABELS if each in names), None)
    score = next((names[each] for each in _MANY_SCORES if each in names), None)
    if label is None or score is None or len(value) > 3:
        return None
    labels, scores = value[label], value[score]
    if not isinstance(labels, list) or not isinstance(scores, list) or len(labels) != len(scores):
        return None
    if any(isinstance(each, dict | list) for each in labels):
        return None
    return _numbers([_label(each) for each in labels], scores)


def _named(value: list[object], context: Context) -> Pairs | None:
    """Read numbers whose labels the model's owner has told."""
    labels = context.output.labels
    return _numbers(labels, value) if len(labels) == len(value) else None


def _distribution(value: list[object], context: Context) -> Pairs | None:
    if len(value) < 2 or not all(isinstance(each, float) for each in value):
        return None
    inputs = context.sent.matching(len(value))
    if inputs is not None and not all(map(is_number, inputs)):
        return None  # a number for each input
    found = _numbers([str(number) for number in range(len(value))], value) or []
    is_one = all(_may_be_probability(number) for _, number in found) and _are_one_whole(found)
    return found if is_one else None


def _numbers(labels: Iterable[str], numbers: Iterable[object]) -> Pairs | None:
    found: Pairs = []
    for label, number in zip(labels, numbers, strict=True):
        if not is_number(number):
            return None
        found.append((label, number))
    return found


def _label(value: object) -> str:
    return scalar_text(value) if not isinstance(value, dict | list) else ""


def _bars(pairs: Pairs, most: int) -> Bars:
    total = _sum(pairs)
    shown = [
        Bar(
            cut(label, _LABEL_CHARACTERS),
            number,
            percent(number),
            number_text(number),
            round(min(max(100 * number, 0.0), 100.0), 3),
        )
        for label, number in _sorted(pairs)[:most]
    ]
    first = replace(shown[0], is_top=True)
    is_whole = abs(total - 1) <= _ONE_WITHIN
    return Bars(
        (first, *shown[1:SHOWN]),
        tuple(shown[SHOWN:]),
        total="" if is_whole or len(pairs) == 1 else f"{total:.4g}",
        more=max(0, len(pairs) - most),
    )


def _scores(pairs: Pairs, most: int) -> Bars:
    """Show numbers of any size; their bars compare them with the largest."""
    largest = max(abs(number) for _, number in pairs) or 1
    shown = [
        Bar(
            cut(label, _LABEL_CHARACTERS),
            number,
            f"{number:.3g}",
            number_text(number),
            round(max(100 * (number / largest), 0.0), 3),
        )
        for label, number in _sorted(pairs)[:most]
    ]
    softmax = _bars(_softmax(pairs), most) if len(pairs) > 1 else None
    return Bars(
        tuple(shown[:SHOWN]),
        tuple(shown[SHOWN:]),
        more=max(0, len(pairs) - most),
        softmax=softmax.all if softmax is not None else (),
    )


def _softmax(pairs: Pairs) -> Pairs:
    largest = max(number for _, number in pairs)
    powers = [(label, math.exp(float(number) - float(largest))) for label, number in pairs]
    total = sum(power for _, power in powers)
    return [(label, power / total) for label, power in powers]


def _are_scores(value: object, context: Context) -> bool:
    """Say whether numbers outside of 0 to 1 are scores of labels, rather than just numbers."""
    if isinstance(value, list):
        return isinstance(value[0], dict) or len(context.output.labels) == len(value)
    return isinstance(value, dict) and (
        _says_scores(context.key) or _single(value) is not None or _parallel(value) is not None
    )


def _says_scores(key: str) -> bool:
    return any(word in key for word in (*_SCORES, "probabilit", "logit"))


def _sorted(pairs: Pairs) -> Pairs:
    return sorted(pairs, key=lambda pair: -pair[1])


def _sum(pairs: Pairs) -> float:
    try:
        return math.fsum(number for _, number in pairs)
    except OverflowError:
        return math.inf


def _are_one_whole(pairs: Pairs) -> bool:
    return abs(_sum(pairs) - 1) <= _ONE_WITHIN and len({label for label, _ in pairs}) == len(pairs)


def _may_be_probability(number: float) -> bool:
    return -_FUZZ <= number <= 1 + _FUZZ


def percent(number: float) -> str:
    """Return a share in percent, to two significant places; only 1 itself is 100 %.

    0.934 -> 93 %      0.0123 -> 1.2 %      0.9996 -> 99.96 %      1e-9 -> < 0.0001 %
    """
    part = 100 * number
    if part <= 0:
        return "0 %"
    if part < 0.0001:
        return "< 0.0001 %"
    if number >= 1:
        return "100 %"
    for digits in (2, 3, 4):
        text = f"{part:.{digits}g}"
        if float(text) < 100:
            return f"{text} %" if "e" not in text else f"{part:.6f}".rstrip("0") + " %"
    return "> 99.99 %"
