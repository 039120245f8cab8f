"""One process of a host, from its fork to the first line of the user's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sagelet.worker import fresh, libc, meeting, naming, script, stacks
from sagelet.worker.reporting import write_report
from sagelet.worker.spec import HostOrder

_SHELL = "/bin/sh"
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


@dataclass(frozen=True)
class Start:
    """What a process starts with. `closed` are the supervisor's own descriptors.

    `order` has been placed; `environment` is whole; `set_by_imports` are variables that modules
    which are already imported set when they were; `recorded_before` is when the file of torch's
    `@record` was last written, 0.0 for never.
    """

    order: HostOrder
    environment: Mapping[str, str]
    set_by_imports: Mapping[str, str]
    supervisor: int
    report: str
    recorded_before: float
    stdout: int
    stderr: int
    closed: Sequence[int]


def begin(start: Start) -> NoReturn:
    """Become the entry point; where something goes wrong before it, say what and end."""
    try:
        _begin(start)
    except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor has to hear of it
        _fail(f"{type(error).__name__}: {error}", 1, start.report)


def _begin(start: Start) -> NoReturn:
    """Lead a process group, write into the pipes, and become the entry point."""
    order = start.order
    fresh.session()
    libc.die_with(start.supervisor)
    fresh.standard_streams(start.stdout, start.stderr)
    for descriptor in (*start.closed, start.stdout, start.stderr):
        os.close(descriptor)
    fresh.signals()
    fresh.file_modes()
    fresh.variables(start.environment, start.set_by_imports)
    fresh.module_path(start.environment)
    fresh.packages(order.site_dirs)
    fresh.threads(start.environment, order.threads)
    if not order.is_python:
        _exec(order, start.report)
    fresh.text_streams(start.environment)
    fresh.identity()
    naming.install(order.names, start.environment)
    meeting.install(order.names)
    stacks.listen()
    run = script.run_module if order.way == "module" else script.run
    run(order.argv, start.report)


def _fail(message: str, code: int, report: str) -> NoReturn:
    """End a process that could not become its entry point; say why."""
    os.write(2, message.encode("utf-8", "backslashreplace") + b"\n")
    write_report(report, code, message)
    os._exit(code)


def _exec(order: HostOrder, report: str) -> NoReturn:
    """Run a program in the place of this one."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these; a program must not
        signal.signal(number, signal.SIG_DFL)
    if order.way == "literal":
        _exec_literally(order.argv, report)
    if order.way == "shell":
        os.execv(_SHELL, [_SHELL, "-c", *order.argv])  # noqa: S606 - the order is such a line
    # As the toolkit does, under /bin/sh, with its arguments whole.
    entry = order.argv[0] if "/" in order.argv[0] else f"./{order.argv[0]}"
    with contextlib.suppress(OSError):  # the shell says what is wrong with it
        Path(entry).chmod(Path(entry).stat().st_mode | 0o111)
    os.execv(_SHELL, [_SHELL, "-c", 'exec "$0" "$@"', entry, *order.argv[1:]])  # noqa: S606 - arguments stay arguments


def _exec_literally(argv: Sequence[str], report: str) -> NoReturn:
    """Run a command as it is, found on PATH; the exit codes are a shell's where it cannot be."""
    try:
        os.execvp(argv[0], list(argv))  # noqa: S606 - no shell is wanted
    except OSError as error:
        why, code = error.strerror, _NOT_EXECUTABLE
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            if shutil.which(argv[0]):
                why = "the interpreter that its first line names is not there"
            else:
                why, code = "command not found", _NOT_FOUND
    _fail(f"{argv[0]}: {why}", code, report)
