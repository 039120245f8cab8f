"""Ending a process as Python ends one, without taking down what a zygote had imported for it.

Taking torch's modules apart costs 0.3 s and gives nothing back that the kernel does not. What the
user's program made is taken down as ever: threads are waited for, atexit runs, and objects with
it to do are finalised, so that a file that was never closed is flushed.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
import threading
import weakref
from collections.abc import Collection
from typing import Any, NoReturn


def spare_the_imported() -> None:
    """Let what is imported by now outlive the interpreter: the kernel takes all of it back."""
    registered: Any = weakref.finalize
    for finalizer in list(registered._registry):
        finalizer.atexit = False


def leave(code: int, kept: Collection[str]) -> NoReturn:
    """End this process with an exit code; modules other than those in `kept` are the user's.

    Where no zygote froze anything this is SystemExit, and the interpreter does it all.
    """
    if gc.get_freeze_count() == 0:
        raise SystemExit(code)
    wind_down()
    _take_down(kept)
    _flush()
    os._exit(code)


def wind_down() -> None:
    """Wait for the threads that are no daemons, and run what atexit was told to."""
    threads: Any = threading
    threads._shutdown()
    exits: Any = atexit
    exits._run_exitfuncs()
    _flush()


def _take_down(kept: Collection[str]) -> None:
    """Do with the user's modules what CPython's finalize_modules does with all."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    theirs = [name for name in sys.modules if name == "__main__" or name not in kept]
    # Weakly: most of them end with their last reference, their globals whole to the end.
    survivors = [weakref.ref(sys.modules.pop(name)) for name in theirs]
    gc.collect()
    for reference in reversed(survivors):
        module = reference()
        if module is not None:
            _clear(vars(module))
    gc.collect()


def _clear(names: dict[str, Any]) -> None:
    for is_private in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name[:1] == "_" and name[:2] != "__") == is_private:
                names[name] = None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
    ctypes.CDLL(None).fflush(None)
