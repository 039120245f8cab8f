"""The detectors in their order: the first that knows a value shows it; a tree shows any."""

from __future__ import annotations

from collections.abc import Mapping

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
from sagelet.web.results.output import AS_IT_COMES, Output

BY_NAME: Mapping[str, Detector] = {
    "bars": bars.detect,
    "grams": grams.detect,
    "spans": spans.detect,
    "rows": rows.detect,
    "table": table.detect,
    "matrix": matrix.detect,
    "picture": pictures.detect,
    "number": scalars.detect,
    "text": scalars.detect,
    "tree": tree.detect,
}
"""What `ui.output.renderer` may say; where the preferred one knows nothing of a value, all do."""

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


def view_of(value: object, sent: InputRows = NOTHING_SENT, output: Output = AS_IT_COMES) -> View:
    """Return how an answer is shown; `sent` is what it is the answer to."""
    return look(value, Context(look, sent=sent, text=sent.text, output=output))


def look(value: object, context: Context) -> View:
    """Return how a value is shown where it stands."""
    context.budget.looks -= 1
    if context.budget.looks < 0:
        return tree.detect(value, context)
    preferred = BY_NAME.get(context.output.renderer)
    for detect in (*([preferred] if preferred else []), *_DETECTORS):
        view = detect(value, context)
        if view is not None:
            return view
    return tree.detect(value, context)
