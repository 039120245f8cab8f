"""Ending a process as Python ends one, without taking down what a zygote had imported for it.

Taking torch's modules apart costs 0.3 s and gives nothing back that the kernel does not. What the
user's program made is taken down as ever: threads are waited for, atexit runs, and objects with
it to do are finalised, so that a file that was never closed is flushed.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import io
import os
import sys
import threading
import traceback
import types
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

_COLLECTIVE_THREADS = ("pt_gloo", "gloo", "pt_nccl", "pt_mpi", "pt_ucc")
"""How torch names the threads of its process groups."""

_NOT_FLUSHED = 120  # CPython's exit code where standard output cannot take what is left for it

_SPARED: set[str] = set()
"""The modules that a zygote had imported before this process was forked; empty in a cold one."""


def spare_the_imported() -> None:
    """Let what is imported by now outlive the interpreter: the kernel takes all of it back."""
    _SPARED.update(sys.modules)
    registered: Any = weakref.finalize
    for finalizer in list(registered._registry):
        finalizer.atexit = False


def leave(code: int) -> NoReturn:
    """End this process with an exit code; where nothing is spared the interpreter does it all."""
    if not _SPARED:
        raise SystemExit(code)
    is_flushed = wind_down()
    if threading.active_count() > 1 or _is_in_a_process_group():
        # Daemon threads stand still while CPython takes down what they use. Here they would not.
        _flush_files()
    else:
        _take_down()
    is_flushed = _flush() and is_flushed
    os._exit(code if is_flushed else _NOT_FLUSHED)


def _is_in_a_process_group() -> bool:
    """Whether torch's collectives have threads here.

    A process group waits for its threads when it goes, and they may wait for the interpreter's
    lock to let go of a Python object: CPython's own end turns such threads away, a fork's cannot.
    """
    if "torch.distributed" not in sys.modules:
        return False
    with contextlib.suppress(OSError):  # no /proc: then nothing was forked either
        tasks = os.listdir("/proc/self/task")  # noqa: PTH208 - names are all that is wanted
        return any(_task_name(task).startswith(_COLLECTIVE_THREADS) for task in tasks)
    return False


def _task_name(task: str) -> str:
    try:
        with open(f"/proc/self/task/{task}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:  # it has just ended
        return ""


def wind_down() -> bool:
    """Wait for the threads that are no daemons, run what atexit was told to, and flush.

    Returns whether standard output and error could be flushed.
    """
    threads: Any = threading
    exits: Any = atexit
    _go_on_after(threads._shutdown)
    _go_on_after(exits._run_exitfuncs)
    return _flush()


def _go_on_after(step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException:  # noqa: BLE001 - printed, and the end goes on, as CPython's does
        traceback.print_exc()


def _flush_files() -> None:
    for file in sorted(_open_files(), key=_layer):
        with contextlib.suppress(OSError, ValueError):  # closed, or nowhere to write to
            file.flush()


def _take_down() -> None:
    """Do with the user's modules what CPython's finalize_modules does with all.

    Open files are held until the end: collected in a cycle, the buffer of a file may go before
    what still has to be written into it.
    """
    files = _open_files()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    main = {"__main__", "__mp_main__"}
    theirs = [name for name in sys.modules if name in main or name not in _SPARED]
    # Weakly: most of them end with their last reference, their globals whole to the end.
    survivors = [_weakly(sys.modules.pop(name)) for name in theirs]
    gc.collect()
    for reference in reversed(survivors):
        module = reference()
        if module is not None:
            _clear(vars(module))
    gc.collect()
    for file in sorted(files, key=_layer):
        with contextlib.suppress(OSError, ValueError):  # nobody is left to hear of it
            file.close()


def _weakly(module: object) -> Callable[[], types.ModuleType | None]:
    """Refer to a module; what is no module (anything may stand in sys.modules) is let go."""
    return weakref.ref(module) if isinstance(module, types.ModuleType) else lambda: None


def _open_files() -> list[io.IOBase]:
    """Return the files that were opened since the zygote froze what it had."""
    standard = (sys.stdout, sys.stderr, sys.stdin)
    own = {id(layer) for stream in standard for layer in _layers(stream)}
    found = [item for item in gc.get_objects() if issubclass(type(item), io.IOBase)]
    return [item for item in found if id(item) not in own]


def _layers(stream: object) -> list[object]:
    buffer = getattr(stream, "buffer", None)
    return [stream, buffer, getattr(buffer, "raw", None)]


def _layer(file: io.IOBase) -> int:
    """Order the layers of files from the outermost, which closes those below it, inwards."""
    if isinstance(file, io.TextIOWrapper):
        return 0
    if isinstance(file, io.FileIO):
        return 3
    return 2 if type(file) in (io.BufferedWriter, io.BufferedRandom, io.BufferedReader) else 1


def _clear(names: dict[str, Any]) -> None:
    for is_private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name[:1] == "_" and name[:2] != "__") == is_private:
                names[name] = None


def _flush() -> bool:
    """Flush what Python and C hold back for the standard streams; return whether that worked."""
    is_flushed = True
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not getattr(stream, "closed", False):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001 - the stream may be anybody's; its failure is the exit code
                is_flushed = False
    ctypes.CDLL(None).fflush(None)
    return is_flushed
