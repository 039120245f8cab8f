"""A user's error as a person wants to read it: their own frames, real paths, and the last line.

An edit may have moved code that is still running (a reload keeps what the model is made of, and a
broken edit keeps everything); lines are then shown where the same code stands in the file now.
"""

from __future__ import annotations

import ast
import importlib
import os
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

SOURCE_NAME = "__sagelet_source__"
"""A module of the user's keeps the bytes that it was made of under this name."""

_BLAMED = "__sagelet_blamed__"
"""An error about a function that was not called has the function's frame under this name."""

_PLACE = "__sagelet_place__"
"""An error about a file or a folder, rather than a line of code, has its path under this name."""

_OURS = str(Path(__file__).resolve().parent.parent)
_TOOLKIT = tuple(
    f"{_OURS}/serving/{name}"
    for name in ("defaults.py", "codecs.py", "stand_in", "toolkit_handlers.py")
)
# What reads a module's source, on our behalf or on an import statement's.
_MACHINERY = (ast.__file__, importlib.__file__)
_TEXT_LIMIT = 32_000


@dataclass(frozen=True)
class Failure:
    """An error: its last line, where it was raised (`/abs/file.py:12`), and the traceback."""

    error: str
    where: str
    traceback: str


def describe(error: BaseException, *, otherwise: str = "") -> Failure:
    """Return an error with our own frames taken out and paths resolved.

    `otherwise` is where it was raised if none of the user's frames took part.
    """
    whole = traceback.TracebackException.from_exception(error)
    _clean(whole, error)
    placed = getattr(error, _PLACE, "")
    if placed:
        whole.stack[:] = [frame for frame in whole.stack if not _is_inside(frame.filename)]
    blamed = getattr(error, _BLAMED, None)
    if blamed is not None:
        whole.stack.append(_in_place(blamed, {}))
    text = "".join(whole.format())
    if len(text) > _TEXT_LIMIT:
        half = _TEXT_LIMIT // 2
        text = text[:half] + "\n  [...]\n" + text[-half:]
    where = placed or _where(error, whole) or otherwise
    return Failure(error=last_line(error, whole), where=where, traceback=text)


def blame(error: Exception, function: Any) -> Exception:
    """Note on an error which function of the user's it is about; return the error."""
    code = getattr(function, "__code__", None)
    if code is not None:
        frame = traceback.FrameSummary(code.co_filename, code.co_firstlineno, code.co_name)
        setattr(error, _BLAMED, frame)
    return error


def place(error: Exception, path: str) -> Exception:
    """Note on an error which file or folder it is about; return the error."""
    setattr(error, _PLACE, path)
    return error


def last_line(error: BaseException, whole: traceback.TracebackException | None = None) -> str:
    """Return `ValueError: the message` as Python prints it under a traceback."""
    whole = whole or traceback.TracebackException.from_exception(error)
    lines = list(whole.format_exception_only())
    line = lines[-1] if isinstance(error, SyntaxError) else lines[0]
    return line.strip()


def _clean(whole: traceback.TracebackException, error: BaseException | None) -> None:
    """Take our frames out of a traceback, and out of those that it was raised from."""
    pairs: list[tuple[Any, Any]] = [(whole, error)]
    seen: set[int] = set()
    while pairs:
        shown, raised = pairs.pop()
        if shown is None or id(shown) in seen:
            continue
        seen.add(id(shown))
        frames = list(_tracebacks(getattr(raised, "__traceback__", None)))
        shown.stack[:] = _shown_frames(shown.stack, frames)
        if isinstance(raised, SyntaxError) and raised.filename:
            # The file that does not parse is no frame; it stands in the error itself.
            shown.filename = os.path.realpath(raised.filename)
        pairs.append((shown.__cause__, getattr(raised, "__cause__", None)))
        pairs.append((shown.__context__, getattr(raised, "__context__", None)))
        inner = getattr(shown, "exceptions", None) or ()
        pairs.extend(zip(inner, getattr(raised, "exceptions", ()) or ()))


def _shown_frames(
    stack: traceback.StackSummary, frames: list[TracebackType]
) -> list[traceback.FrameSummary]:
    kept = []
    aligned = len(stack) == len(frames)
    for place, frame in enumerate(stack):
        if _is_ours(frame.filename):
            continue
        namespace = frames[place].tb_frame.f_globals if aligned else {}
        kept.append(_in_place(frame, namespace))
    return kept


def _is_ours(filename: str) -> bool:
    if filename.startswith("<frozen importlib") or filename in _MACHINERY:
        return True
    real = os.path.realpath(filename)
    return real.startswith(_OURS + os.sep) and not real.startswith(_TOOLKIT)


def _in_place(frame: traceback.FrameSummary, namespace: dict[str, Any]) -> traceback.FrameSummary:
    """Return a frame with its real path, and the line on which its code stands now."""
    path = os.path.realpath(frame.filename) if Path(frame.filename).exists() else frame.filename
    source = namespace.get(SOURCE_NAME)
    line = moved_line(source, path, frame.lineno) if isinstance(source, bytes) else frame.lineno
    if path == frame.filename and line == frame.lineno:
        return frame
    return traceback.FrameSummary(path, line or 0, frame.name)


def moved_line(source: bytes, path: str, line: int | None) -> int | None:
    """Return where the code on `line` of `source` stands in the file now; `line` if it is gone."""
    try:
        now = Path(path).read_bytes()
        if line is None or now == source:
            return line
        old, new = ast.parse(source), ast.parse(now)
    except (OSError, SyntaxError, ValueError):
        return line
    statement = next((s for s in old.body if _spans(s, line)), None)
    if statement is None:
        return line
    wanted = ast.dump(statement)
    twin = next((s for s in new.body if ast.dump(s) == wanted), None)
    if twin is None:
        return line
    moves = [
        (before.lineno, after.lineno)
        for before, after in zip(ast.walk(statement), ast.walk(twin))
        if isinstance(before, ast.stmt) and isinstance(after, ast.stmt) and before.lineno <= line
    ]
    was, stands = max(moves, default=(line, line))
    return line + stands - was


def _spans(statement: ast.stmt, line: int) -> bool:
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return bool(first <= line <= (statement.end_lineno or statement.lineno))


def _tracebacks(link: TracebackType | None) -> Iterator[TracebackType]:
    while link is not None:
        yield link
        link = link.tb_next


def _where(error: BaseException, whole: traceback.TracebackException) -> str:
    """Return the user's innermost `file:line`: the file that does not parse, if that is it."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).exists():
        return f"{os.path.realpath(error.filename)}:{error.lineno or 0}"
    theirs = [frame for frame in whole.stack if not _is_inside(frame.filename)]
    frames = [frame for frame in theirs if not _is_library(frame.filename)] or theirs
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _is_inside(filename: str) -> bool:
    """Whether a file is this package's own."""
    return os.path.realpath(filename).startswith(_OURS + os.sep)


def _is_library(filename: str) -> bool:
    """Whether a file is installed or built in, rather than the user's own."""
    parts = Path(filename).parts
    if "site-packages" in parts or "dist-packages" in parts or filename.startswith("<"):
        return True
    standard = str(Path(os.__file__).resolve().parent)
    return filename.startswith((standard + os.sep, _OURS + os.sep))
