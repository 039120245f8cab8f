"""The user's own error in what a host has logged, where no interpreter of ours could report it.

A script under a shell, or under the SDK's drivers or torchrun, prints its traceback and is gone.
Drivers strip the lines that they pass on, so that indentation tells nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_BEGIN = "Traceback (most recent call last):"
_FATAL = "Fatal Python error: "
_RANK = re.compile(r"^\[(?:rank ?\d+|\d+)\]:? ?")
_FRAME = re.compile(r'^\s*(?:\+ )?File "(?P<file>[^"]+)", line (?P<line>\d+)(?:,? in \S+)?\s*$')
_ERROR = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Iteration|Group)(?::.*)?$")
_ANY_ERROR = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$")
_NOT_THE_USERS = re.compile(r"/(?:site|dist)-packages/|/lib/python\d|^<|/sm_drivers/")


@dataclass(frozen=True, slots=True)
class LoggedError:
    """An error's last line, and the user's file and line that it was raised at."""

    error: str = ""
    where: str = ""


NOTHING_LOGGED = LoggedError()


@dataclass(slots=True)
class _Trace:
    """A traceback as far as it was read."""

    frames: list[tuple[str, int]] = field(default_factory=list)
    error: str = ""
    is_fatal: bool = False


def find_error(lines: Iterable[str], code: Path) -> LoggedError:
    """Return the last error in a log that went through the user's code; empty without one."""
    found = NOTHING_LOGGED
    for trace in _traces(lines):
        where = _where(trace, code)
        if where:
            found = LoggedError(trace.error, where)
    return found


def _traces(lines: Iterable[str]) -> Iterable[_Trace]:
    """Divide a log into its tracebacks; a syntax error's has no first line."""
    trace = _Trace()
    for raw in lines:
        line = _RANK.sub("", raw).rstrip()
        frame = _FRAME.match(line)
        if line.strip() == _BEGIN or line.startswith(_FATAL):
            yield trace
            trace = _Trace(is_fatal=line.startswith(_FATAL))
            trace.error = line if trace.is_fatal else ""
        elif frame is not None:
            if trace.error and not trace.is_fatal:
                yield trace
                trace = _Trace()
            trace.frames.append((frame["file"], int(frame["line"])))
        elif trace.frames and not trace.error and _is_last(line, raw):
            trace.error = line
    yield trace


def _is_last(line: str, raw: str) -> bool:
    """Whether a line ends a traceback: by its name, or where it stands."""
    if _ERROR.match(line):
        return True
    return raw[:1] not in (" ", "\t", "") and _ANY_ERROR.match(line) is not None and "." in line


def _where(trace: _Trace, code: Path) -> str:
    """Return the innermost place in the user's code, relative to it."""
    if not trace.error:
        return ""
    innermost_first = trace.frames if trace.is_fatal else trace.frames[::-1]
    below = f"{code}/"
    for file, line in innermost_first:
        if file.startswith(below):
            return f"{file.removeprefix(below)}:{line}"
        if not file.startswith("/") and not _NOT_THE_USERS.search(file):
            return f"{file}:{line}"
    return ""
