"""Where a request is answered otherwise than in SageMaker's container: the worker's own table."""

from __future__ import annotations

from sagelet.worker.serving.differences import DIFFERENCES, Difference
from tools.markdown import code, table


def requests() -> str:
    """Return the differences of requests, those first that are noticed on them."""
    rows = sorted(DIFFERENCES, key=lambda row: not row.counted)
    return table(["id", "here", "in the container", "why"], map(_row, rows))


def _row(row: Difference) -> list[str]:
    name = code(row.id) if row.counted else f"*{code(row.id)}*"
    return [name, row.here, row.there, row.why]
