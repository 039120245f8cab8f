"""The headers of answers as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sagelet.worker.serving.heads import head_of

USUAL: dict[str, Any] = {
    "op": "answer",
    "id": 3,
    "status": 200,
    "content_type": 'text/plain; name="ä"',
    "headers": {},
    "phases_ms": {"input_fn": 0.012, "predict_fn": 12.0},
}


@pytest.mark.parametrize(
    "header",
    [
        USUAL,
        {**USUAL, "content_type": None, "phases_ms": {}},
        {**USUAL, "headers": {"X-Kind": "ä"}},
        {**USUAL, "differs": ["generator"]},
        {"op": "begin", "id": 1, "status": 200, "content_type": None, "headers": {}},
        {"op": "part", "id": 1},
    ],
)
def test_a_header_is_the_json_of_what_it_says(header: dict[str, Any]) -> None:
    assert json.loads(head_of(header)) == header
