"""JSON as the site answers with it, and as it is asked with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from sagelet.web.faults import Refused


class JsonAnswer(JSONResponse):
    """An answer that can be sent whatever texts it tells of; see `as_json`."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401  any JSON
        """Return its bytes."""
        return as_json(content)


def as_json(value: Any) -> bytes:  # noqa: ANN401  any JSON
    """Return a value as JSON; half of a surrogate pair, which is no text, is told as `?`."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return what a request's body holds.

    Raises:
        Refused: 400 where it is no JSON object.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body is not JSON") from error
    if not isinstance(document, dict):
        raise Refused(400, "the body is a JSON object")
    return document
