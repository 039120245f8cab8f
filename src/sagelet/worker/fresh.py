"""Makes a process that was forked from a warm one look as if Python had just started in it.

All of it is harmless where Python has just started; so a forked and a cold child do the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import random
import signal
import site
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

OUR_FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - sys.path holds strings

_DEFAULT = (
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
_OPENBLAS = (
    "scipy_openblas_set_num_threads64_",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def forget_the_start() -> None:
    """Take the folder in which `python -m` was run from the path: nobody meant to import there."""
    here = ("", os.getcwd())  # noqa: PTH109 - sys.path holds strings
    if not getattr(sys.flags, "safe_path", False) and sys.path[0] in here:
        del sys.path[0]


def session() -> None:
    """Lead a session and a process group, so that a signal to the group reaches all of it."""
    if os.getsid(0) != os.getpid():
        os.setsid()


def signals() -> None:
    """Handle every signal as a new Python does."""
    signal.set_wakeup_fd(-1)
    for number in _DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def file_modes() -> None:
    """Make files as a container does; the daemon's own umask hides its state from others."""
    os.umask(0o022)


def standard_streams(stdout: int | None = None, stderr: int | None = None) -> None:
    """Read from nothing, and write to the given descriptors (where absent, to nothing)."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null if stdout is None else stdout, 1)
    os.dup2(null if stderr is None else stderr, 2)
    if null > 2:
        os.close(null)


def variables(wanted: Mapping[str, str], set_by_imports: Mapping[str, str]) -> None:
    """Have exactly these environment variables, and those that imported modules have set."""
    os.environ.clear()
    os.environ.update(set_by_imports)
    os.environ.update(wanted)
    time.tzset()
    tempfile.tempdir = None  # TMPDIR may be another one now
    sys.dont_write_bytecode = bool(wanted.get("PYTHONDONTWRITEBYTECODE"))
    if wanted.get("PYTHONFAULTHANDLER"):
        import faulthandler

        faulthandler.enable()


def text_streams(wanted: Mapping[str, str]) -> None:
    """Write text line by line, in UTF-8 or as PYTHONIOENCODING and PYTHONUNBUFFERED want it."""
    encoding, _, errors = wanted.get("PYTHONIOENCODING", "").partition(":")
    unbuffered = bool(wanted.get("PYTHONUNBUFFERED"))
    for descriptor, name, fallback in (
        (1, "stdout", errors or "surrogateescape"),
        (2, "stderr", "backslashreplace"),
    ):
        # New ones: the old may believe that they can seek, which a pipe cannot.
        raw: Any = io.FileIO(descriptor, "wb", closefd=False)
        raw.name = f"<{name}>"
        stream = io.TextIOWrapper(
            raw if unbuffered else io.BufferedWriter(raw),
            encoding or "utf-8",
            fallback,
            line_buffering=not unbuffered,
            write_through=unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def module_path(wanted: Mapping[str, str]) -> None:
    """Look for modules in PYTHONPATH, then where Python always does, and last beside our own."""
    own = [entry for entry in wanted.get("PYTHONPATH", "").split(os.pathsep) if entry]
    ours = os.path.realpath(OUR_FOLDER)
    rest = [
        entry
        for entry in sys.path
        if entry and entry not in own and os.path.realpath(entry) != ours
    ]
    sys.path[:] = [*own, *rest, OUR_FOLDER]
    # What was not there when Python started may be by now: /opt/ml/code, in a namespace of its own.
    for folder in [path for path, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[folder]


def packages(folders: Sequence[str]) -> None:
    """Look for modules in some more folders of installed packages, after all others."""
    for folder in folders:
        site.addsitedir(folder)
    if folders:  # a program that the handlers start is to find them, too
        path = [os.environ.get("PYTHONPATH", ""), *folders]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))


def identity() -> None:
    """Differ from the other children of the same parent where new processes differ."""
    random.seed()
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()
    process: Any = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.current_process().authkey = os.urandom(32)
        process.ORIGINAL_DIR = os.getcwd()  # noqa: PTH109 - as multiprocessing has it


def threads(wanted: Mapping[str, str], count: int | None) -> None:
    """Compute with so many threads: OMP_NUM_THREADS of the variables, else `count`, else all cores.

    A cold child reads the variable when it imports torch; a forked one has done that already.
    """
    text = wanted.get("OMP_NUM_THREADS", "")
    number = int(text) if text.isdigit() else count
    if number is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(number))
        torch: Any = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(number)
    if "numpy" in sys.modules:
        _openblas_threads(number or os.cpu_count() or 1)


def _openblas_threads(number: int) -> None:
    """Undo OPENBLAS_NUM_THREADS=1, with which the zygote keeps numpy from starting threads."""
    with contextlib.suppress(OSError):  # no /proc: then nothing was forked either
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:  # noqa: PTH123
            libraries = {line.split()[-1] for line in maps if "openblas" in line}
        for library in map(ctypes.CDLL, libraries):
            setter = next((s for n in _OPENBLAS if (s := getattr(library, n, None))), None)
            if setter is not None:
                setter(number)
