"""Values as JSON has them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from sagelet.domain.calls import Call
from sagelet.domain.seams import HostNote


def plain(value: Any) -> Any:  # noqa: ANN401  any part of what is known
    """Return a value as JSON has it: dataclasses as objects, times as ISO 8601 has them."""
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it
    if isinstance(value, bytes):
        return bytes_shown(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def bytes_shown(body: bytes | None) -> dict[str, str]:
    """Return bytes as `text`, or as `base64` where they are none; nothing where there are none."""
    if body is None:
        return {}
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def shown_call(call: Call) -> dict[str, Any]:
    """Return a call with its bodies; one that was not kept has neither text nor base64."""
    bodies = {"body": bytes_shown(call.body), "answer_body": bytes_shown(call.answer_body)}
    shown: dict[str, Any] = plain(replace(call, body=None, answer_body=None))
    return shown | bodies


def newest_number(notes: Sequence[HostNote]) -> int:
    """Return the number of the last of some notes; 0 where there is none."""
    return notes[-1].number if notes else 0


def shown_note(note: HostNote) -> dict[str, Any]:
    """Return a note of a host."""
    return {
        "number": note.number,
        "at": note.at.isoformat(),
        "endpoint": note.endpoint,
        "variant": note.variant,
        "text": note.text,
        "is_problem": note.is_problem,
    }
