"""Runs a Python file as the real `__main__` of this process, as `python train.py` would.

Pickling, multiprocessing, atexit, threads that outlive the script, uncaught errors and exit codes
are as there.
"""

from __future__ import annotations

import builtins
import json
import os
import signal
import sys
import traceback
import types
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn

from sagelet.worker import leaving, shadowing
from sagelet.worker.serving import tracebacks

_MISSING_EXIT_CODE = 2


def run(argv: Sequence[str], report: str) -> NoReturn:
    """Run argv[0] with the rest as its arguments, and end this process.

    An error that the script does not catch is printed as Python prints it, and written to the
    file `report` for `read_report`.
    """
    path = os.path.abspath(argv[0])  # noqa: PTH100 - as CPython: absolute, links kept
    sys.modules["__main__"] = _main_module(path)
    if "__mp_main__" in sys.modules:  # multiprocessing's second name for it
        sys.modules["__mp_main__"] = sys.modules["__main__"]
    sys.argv = list(argv)
    sys.orig_argv = [sys.executable, *argv]
    folder = str(Path(path).resolve().parent)
    if not getattr(sys.flags, "safe_path", False):
        shadowing.unload(folder)
        sys.path.insert(0, folder)
    leaving.leave(_execute(path, report))


def read_report(report: str, pid: int) -> tracebacks.Failure | None:
    """Return, and remove, what the script of a process wrote as its last error."""
    try:
        written = json.loads(Path(report).read_text(encoding="utf-8"))
        Path(report).unlink()
    except (OSError, ValueError):
        return None
    if written.pop("pid") != pid:  # a process that the script forked failed, not the script
        return None
    return tracebacks.Failure(**written)


def _main_module(path: str) -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__dict__.update(
        __builtins__=builtins,
        __file__=path,
        __loader__=SourceFileLoader("__main__", path),
        __spec__=None,
        __package__=None,
        __cached__=None,
        __annotations__={},
    )
    return main


def _execute(path: str, report: str) -> int:
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        sys.stderr.write(
            f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n"
        )
        return _MISSING_EXIT_CODE
    try:
        names = vars(sys.modules["__main__"])
        exec(compile(source, path, "exec", dont_inherit=True), names)  # noqa: S102 - it is the user's program
    except BaseException as error:  # noqa: BLE001 - whatever ends the script ends here
        return _exit_code(error, report)
    return 0


def _exit_code(error: BaseException, report: str) -> int:
    """Tell how a script ended that did not reach its last line; return its exit code."""
    if isinstance(error, SystemExit):
        return _asked_for(error, report)
    failure = tracebacks.describe(error)
    write_report(report, failure.error, failure.where, failure.traceback)
    again = _print_uncaught(error)
    if isinstance(again, SystemExit):
        return _asked_for(again, report)
    if isinstance(error, KeyboardInterrupt):
        _end_by_interrupt()
    return 1


def _asked_for(stop: SystemExit, report: str) -> int:
    """Return what `sys.exit(…)` stands for; text goes to stderr, and means 1."""
    code = stop.code
    if code is None:
        return 0
    message = "" if isinstance(code, int) else str(code)
    if code != 0:
        write_report(report, message, tracebacks.describe(stop).where, "")
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(message + "\n")
    return 1


def _print_uncaught(error: BaseException) -> BaseException | None:
    """Print an error through the script's sys.excepthook; return what that raised, if it did."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    error.__traceback__ = frames
    last: Any = sys
    last.last_type, last.last_value, last.last_traceback = type(error), error, frames
    last.last_exc = error
    try:
        sys.excepthook(type(error), error, frames)
    except SystemExit as again:
        return again
    except BaseException as again:  # noqa: BLE001 - printed, as CPython does
        sys.stderr.write("Error in sys.excepthook:\n")
        traceback.print_exception(type(again), again, again.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        traceback.print_exception(type(error), error, frames)
        return again
    return None


def write_report(report: str, error: str, where: str, text: str) -> None:
    """Leave the last error of this process for its supervisor."""
    written = {"pid": os.getpid(), "error": error, "where": where, "traceback": text}
    try:
        Path(report).write_text(json.dumps(written), encoding="utf-8")
    except OSError as problem:  # a full disk: the error itself is in the log all the same
        sys.stderr.write(f"the error could not be recorded: {problem}\n")


def _end_by_interrupt() -> NoReturn:
    """End as Ctrl-C ends Python: tidily, and then by the signal itself."""
    leaving.wind_down()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    raise SystemExit(128 + signal.SIGINT)
