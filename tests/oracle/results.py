"""What came of a case: an answer, or the end of its worker; how it is written down and compared."""

from __future__ import annotations

import base64
import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TRACEBACK = "Traceback (most recent call last):\n"

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Result:
    """What a request (or the loading before it) came to.

    `outcome` is `answer`; `leaked` where that is memory nobody wrote, whose amount is the body;
    `died` where the worker ended, `hung` where its client would wait for ever; `not loaded` where
    the handlers never came up. Of an error's text there are two lines, its first and its last: what
    stands between them differs from machine to machine.
    """

    outcome: str
    status: int | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what a recording holds."""
        recorded: dict[str, Any] = {"outcome": self.outcome}
        if self.status is not None:
            recorded |= {"status": self.status, "content_type": self.content_type}
            if self.headers:
                recorded["headers"] = dict(self.headers)
        if self.error is not None:
            recorded["error"] = list(self.error)
        elif self.status is not None:
            recorded |= written(self.body)
        return recorded

    @classmethod
    def from_json(cls, recorded: Mapping[str, Any]) -> Result:
        """Read a recording."""
        error = recorded.get("error")
        return cls(
            outcome=recorded["outcome"],
            status=recorded.get("status"),
            content_type=recorded.get("content_type"),
            headers=recorded.get("headers", {}),
            body=read(recorded) if "text" in recorded or "base64" in recorded else b"",
            error=(error[0], error[1]) if error else None,
        )


def answered(
    status: int, content_type: str | None, headers: Mapping[str, str], body: bytes, folder: str
) -> Result:
    """Return an answer; a body that ends in a traceback keeps its first and its last line."""
    error = _error_lines(body, folder)
    return Result("answer", status, content_type, headers, b"" if error else body, error)


def leaked(result: Result) -> Result:
    """Return an answer of uninitialised numbers as how many they were."""
    return Result(
        "leaked", result.status, result.content_type, body=b"%d" % len(json.loads(result.body))
    )


def not_loaded(error: BaseException, folder: str) -> Result:
    """Return the failure of loading: the error's class and the first line of its text."""
    line = _steady(traceback.format_exception_only(error)[-1], folder).split("\n")[0]
    return Result("not loaded", error=(line, line))


def written(body: bytes) -> dict[str, str]:
    """Return a body as text where it is text, else in base64."""
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def read(recorded: Mapping[str, Any]) -> bytes:
    """Return a body that was written down."""
    if "text" in recorded:
        return str(recorded["text"]).encode("utf-8")
    return base64.b64decode(recorded["base64"])


def _error_lines(body: bytes, folder: str) -> tuple[str, str] | None:
    text = body.decode("utf-8", "replace")
    if _TRACEBACK not in text:
        return None
    lines = _steady(text, folder).rstrip("\n").split("\n")
    return lines[0], lines[-1]


def _steady(text: str, folder: str) -> str:
    """Return a text without what changes from run to run: the model's folder, and addresses."""
    return _ADDRESS.sub("0x…", text.replace(folder, "/opt/ml/model"))
