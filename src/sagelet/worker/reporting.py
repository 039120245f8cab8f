"""How a process of a host failed, in its own words: written as it ends, read by its supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
"""Names the file into which torch's `@record` writes the error of a process."""

_FRAME = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)

# What gloo, NCCL and torch's store say when the process at the other end has gone.
_CONSEQUENCE = re.compile(
    r"connection (?:was )?(?:likely )?(?:closed|reset)|broken pipe|socket closed"
    r"|remote process exited|ncclRemoteError|did the remote server (?:shutdown|crash)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Report:
    """What a process left: when it failed, the code that it would end with, and its last error."""

    pid: int
    at: float
    code: int
    error: str
    where: str
    traceback: str


def write_report(path: str, code: int, error: str, where: str = "", traceback: str = "") -> None:
    """Leave the last error of this process for its supervisor."""
    report = Report(os.getpid(), time.time(), code, error, where, traceback)
    try:
        Path(path).write_text(json.dumps(asdict(report)), encoding="utf-8")
    except OSError as problem:  # a full disk: the error itself is in the log all the same
        sys.stderr.write(f"the error could not be recorded: {problem}\n")


def read_report(path: str, pid: int) -> Report | None:
    """Return, and remove, what a process wrote as its last error."""
    try:
        report = Report(**json.loads(Path(path).read_text(encoding="utf-8")))
        Path(path).unlink()
    except (OSError, ValueError):
        return None
    return report if report.pid == pid else None  # else of one that the script forked


def changed_at(path: str) -> float:
    """Return when a file was last written; 0.0 where there is none."""
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0


def read_error_file(path: str, since: float) -> Report | None:
    """Return what torch's `@record` wrote; None where that is nothing, or changed at `since`."""
    written_at = changed_at(path)
    if written_at <= since:
        return None
    try:
        message: Any = json.loads(Path(path).read_text(encoding="utf-8"))["message"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(message, dict):
        return Report(0, written_at, 1, str(message), "", "")
    more = message.get("extraInfo") or {}
    text = str(more.get("py_callstack", ""))
    *_, last = [("", "")] + [(found["file"], found["line"]) for found in _FRAME.finditer(text)]
    where = ":".join(filter(None, last))
    return Report(0, written_at, 1, str(message.get("message", "")), where, text)


def remove(path: str) -> None:
    """Remove a file that may not be there."""
    with contextlib.suppress(OSError):
        Path(path).unlink()


def is_consequence(error: str) -> bool:
    """Whether an error says no more than that a process which it spoke with had gone before."""
    return bool(_CONSEQUENCE.search(error))
