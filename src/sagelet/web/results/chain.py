"""The detectors in their order: the first that knows a value shows it; a tree shows any."""

from __future__ import annotations

from sagelet.web.results import (
    bars,
    grams,
    matrix,
    pictures,
    rows,
    scalars,
    sections,
    spans,
    table,
    tree,
)
from sagelet.web.results.context import Context, Detector, View
from sagelet.web.results.inputs import NOTHING_SENT, InputRows

_DETECTORS: tuple[Detector, ...] = (
    pictures.detect,
    grams.detect,
    bars.detect,
    spans.detect,
    rows.detect,
    table.detect,
    matrix.detect,
    sections.detect,
    scalars.detect,
)


def view_of(value: object, sent: InputRows = NOTHING_SENT) -> View:
    """Return how an answer is shown; `sent` is what it is the answer to."""
    return look(value, Context(look, sent=sent, text=sent.text))


def look(value: object, context: Context) -> View:
    """Return how a value is shown where it stands."""
    context.budget.looks -= 1
    if context.budget.looks < 0:
        return tree.detect(value, context)
    for detect in _DETECTORS:
        view = detect(value, context)
        if view is not None:
            return view
    return tree.detect(value, context)
