"""Runs a Python file or module as the real `__main__` of this process, as `python` itself would.

Pickling, multiprocessing, atexit, threads that outlive the script, uncaught errors and exit codes
are as there.
"""

from __future__ import annotations

import builtins
import os
import runpy
import signal
import sys
import traceback
import types
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn

from sagelet.worker import leaving, shadowing
from sagelet.worker.reporting import write_report
from sagelet.worker.serving import tracebacks

_MISSING_EXIT_CODE = 2


def run(argv: Sequence[str], report: str) -> NoReturn:
    """Run the file argv[0] with the rest as its arguments, and end this process.

    An error that the script does not catch is printed as Python prints it, and written to the
    file `report` for `read_report`.
    """
    path = os.path.abspath(argv[0])  # noqa: PTH100 - as CPython: absolute, links kept
    _become_main(_main_module(path), argv, [sys.executable, *argv])
    _search_first(str(Path(path).resolve().parent))
    leaving.leave(_execute(path, report))


def run_module(argv: Sequence[str], report: str) -> NoReturn:
    """Run the module argv[0] as `python -m` does; otherwise as `run`."""
    bare = types.ModuleType("__main__")
    bare.__annotations__ = {}
    _become_main(bare, ["-m", *argv[1:]], [sys.executable, "-m", *argv])
    _search_first(os.getcwd())  # noqa: PTH109 - sys.path holds strings
    leaving.leave(_execute_module(argv[0], report))


def _become_main(main: types.ModuleType, argv: Sequence[str], whole: Sequence[str]) -> None:
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:  # multiprocessing's second name for it
        sys.modules["__mp_main__"] = main
    sys.argv = list(argv)
    sys.orig_argv = list(whole)


def _search_first(folder: str) -> None:
    if not getattr(sys.flags, "safe_path", False):
        shadowing.unload(folder)
        sys.path.insert(0, folder)


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


def _execute_module(name: str, report: str) -> int:
    runner: Any = runpy
    try:
        runner._run_module_as_main(name)
    except BaseException as error:  # noqa: BLE001 - as above
        return _exit_code(error, report)
    return 0


def _exit_code(error: BaseException, report: str) -> int:
    """Tell how a script ended that did not reach its last line; return its exit code."""
    if isinstance(error, SystemExit):
        return _asked_for(error, report)
    failure = _described(error)
    write_report(report, 1, failure.error, failure.where, failure.traceback)
    again = _print_uncaught(error)
    if isinstance(again, SystemExit):
        return _asked_for(again, report)
    if isinstance(error, KeyboardInterrupt):
        _end_by_interrupt()
    return 1


def _described(error: BaseException) -> tracebacks.Failure:
    """Describe an error by what the user's code did: runpy's frames are printed only."""
    frames = error.__traceback__
    error.__traceback__ = _skipping(frames, __name__, "runpy")
    try:
        return tracebacks.describe(error)
    finally:
        error.__traceback__ = frames


def _skipping(frames: types.TracebackType | None, *modules: str) -> types.TracebackType | None:
    """Return a traceback from its first frame that is not of these modules."""
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in modules:
        frames = frames.tb_next
    return frames


def _asked_for(stop: SystemExit, report: str) -> int:
    """Return what `sys.exit(…)` stands for; text goes to stderr, and means 1."""
    code = stop.code
    if code is None:
        return 0
    message = "" if isinstance(code, int) else str(code)
    status = code & 0xFF if isinstance(code, int) else 1
    if code != 0:
        # runpy itself exits so, where there is no such module
        is_theirs = _skipping(stop.__traceback__, __name__, "runpy") is not None
        write_report(report, status, message, _described(stop).where if is_theirs else "")
    if not isinstance(code, int):
        sys.stderr.write(message + "\n")
    return status


def _print_uncaught(error: BaseException) -> BaseException | None:
    """Print an error through the script's sys.excepthook; return what that raised, if it did."""
    error.__traceback__ = frames = _skipping(error.__traceback__, __name__)
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


def _end_by_interrupt() -> NoReturn:
    """End as Ctrl-C ends Python: tidily, and then by the signal itself."""
    leaving.wind_down()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    raise SystemExit(128 + signal.SIGINT)
