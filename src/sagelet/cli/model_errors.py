"""What a model said when it failed, taken out of AWS's wrapping: the user's own error first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagelet.errors import RemoteRefused

CODES = ("ModelError", "ModelStreamError")

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line \d+')
_NOT_THE_USERS = re.compile(r"/(?:site|dist)-packages/|/lib/python\d|^<frozen |/sagelet/worker/")
# AWS wraps what the model said into a sentence with the address of its console.
_WRAPPED = re.compile(
    r"Received (?:server|client) error \((?P<status>\d+)\) from \S+ with message "
    r'"(?P<body>.*)"\. See .*',
    re.DOTALL,
)

_DEBUG = "and `sagelet dev --debug`"
_LOG = "the endpoint's log has more: `sagelet logs NAME`"
_HINTS = {
    0: "the worker's stacks are in the log; SAGEMAKER_MODEL_SERVER_TIMEOUT is the limit in seconds",
    406: "choose another type with --accept, or write it in output_fn",
    415: "say what the payload is with --content-type, or read it in input_fn",
    507: "the worker was killed, most often for want of memory; `sagelet logs NAME` tells",
}


@dataclass(frozen=True, slots=True)
class ModelFailure:
    """A handler's error. `where` is `file:line`; `traceback` has the user's own frames."""

    status: int
    message: str
    handler: str = ""
    where: str = ""
    traceback: str = ""

    @property
    def file(self) -> str:
        """The file that it happened in."""
        return self.where.rpartition(":")[0]

    @property
    def line(self) -> int | None:
        """The line of that file."""
        line = self.where.rpartition(":")[2]
        return int(line) if line.isdigit() else None

    @property
    def hint(self) -> str:
        """What to do next."""
        if self.status in _HINTS:
            return _HINTS[self.status]
        if self.line is not None:
            return f"to look around there: breakpoint() before line {self.line}, {_DEBUG}"
        return "" if self.traceback else _LOG

    def sentence(self) -> str:
        """Name the handler and its place, then the error, then the user's frames."""
        if self.where:
            who = f"{self.handler or 'the model'} failed at {shown(self.where)}"
            first = f"{who} (status {self.status}): {self.message}"
        else:
            first = f"the model answered {self.status}: {self.message}"
        return f"{first}\n{self.traceback}" if self.traceback else first

    def facts(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        return {
            "status": self.status,
            "handler": self.handler,
            "file": self.file,
            "line": self.line,
            "traceback": self.traceback,
        }


def failure_of(refused: RemoteRefused) -> ModelFailure | None:
    """Return a model's own error; None where the refusal is not a model's."""
    if refused.code not in CODES:
        return None
    wrapped = _WRAPPED.fullmatch(refused.message)
    said = str(refused.members.get("OriginalMessage") or "")
    said = said or (wrapped["body"] if wrapped else refused.message)
    status = refused.members.get("OriginalStatusCode", wrapped["status"] if wrapped else 0)
    message, traceback = split(said)
    return ModelFailure(
        status=int(status),
        message=_plain(message),
        handler=refused.headers.get("x-sagelet-handler", ""),
        where=refused.headers.get("x-sagelet-where", ""),
        traceback=user_frames(traceback),
    )


def split(said: str) -> tuple[str, str]:
    """Return the message and the traceback of an error's text."""
    message, mark, rest = said.partition(_TRACEBACK)
    return message.strip(), mark + rest.rstrip()


def user_frames(traceback: str) -> str:
    """Return a traceback without the frames of installed packages, if that leaves any."""
    kept = list(_kept(traceback.splitlines()))
    return "\n".join(kept) if any(map(_FRAME.match, kept)) else traceback


def shown(where: str) -> str:
    """Return a place with its file as seen from here, where that is shorter."""
    path = Path(where)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else where


def _kept(lines: list[str]) -> Iterator[str]:
    passing_over = False
    for line in lines:
        if frame := _FRAME.match(line):
            passing_over = bool(_NOT_THE_USERS.search(frame["file"]))
        elif not line.startswith("    "):
            passing_over = False
        if not passing_over:
            yield line


def _plain(message: str) -> str:
    """Return the message of a model server's own JSON error."""
    if message.startswith("{"):
        try:
            document = json.loads(message)
        except ValueError:
            return message
        if isinstance(document, dict) and isinstance(document.get("message"), str):
            return str(document["message"])
    return message
