"""What a handler returned, as the bytes that are sent: the model server's rules."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from sagelet.worker.serving.differences import Refused

_UNSERIALISABLE = "Unsupported model output data type."


class Unserialisable(Exception):
    """A handler's result that is neither text, bytes nor JSON. The text says what and where."""


def to_bytes(result: Any, *, strict: bool) -> bytes:
    """Return a result as the model server sends it: JSON where it is no text and no bytes.

    Raises:
        Unserialisable: JSON cannot say it.
        Refused: the container's worker would die of it.
    """
    if isinstance(result, str):
        try:
            return result.encode("utf-8")
        except UnicodeEncodeError as error:
            text = f"The result is text that is no Unicode ({error.reason})."
            raise Refused("unsendable-result", text) from error
    if isinstance(result, (bytes, bytearray)):
        return bytes(result)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(result, torch.Tensor):
        buffer = io.BytesIO()
        torch.save(result, buffer)
        return buffer.getvalue()
    return _json(result, strict=strict)


def _json(result: Any, *, strict: bool) -> bytes:
    try:
        return json.dumps(result, indent=2).encode("utf-8")
    except TypeError as error:
        what = "" if strict else f" ({culprit(result) or error})"
        raise Unserialisable(_UNSERIALISABLE + what) from error
    except (ValueError, RecursionError) as error:
        text = f"The result contains itself or is nested too deep: {error}."
        raise Refused("unsendable-result", text) from error


def server_error(status: int, message: str) -> bytes:
    """Return an error's body as the model server writes those that are its own."""
    body = {"code": status, "type": "InternalServerException", "message": message}
    return (json.dumps(body, indent=2) + "\n").encode("utf-8")


def culprit(value: Any, path: str = "", depth: int = 0) -> str | None:
    """Say which part of a value JSON cannot hold: its type and its place."""
    if depth > 50:
        return "nested too deep"
    if isinstance(value, dict):
        parts = [(f"[{key!r}]", item) for key, item in value.items()]
        bad_keys = [key for key in value if not isinstance(key, (str, int, float, type(None)))]
        if bad_keys:
            return f"a key of type {type(bad_keys[0]).__name__} in the result{path}"
    elif isinstance(value, (list, tuple)):
        parts = [(f"[{place}]", item) for place, item in enumerate(value)]
    elif isinstance(value, (str, int, float, type(None))):
        return None
    else:
        return f"{type(value).__name__} at result{path}"
    found = (culprit(item, path + step, depth + 1) for step, item in parts)
    return next((what for what in found if what), None)
