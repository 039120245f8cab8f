"""The process of a training script, from its fork to the script's first line."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sagelet.worker import fresh, libc, script

_SHELL = "/bin/sh"


@dataclass(frozen=True)
class Start:
    """What a script starts with. `closed` are the supervisor's own descriptors."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    threads: int | None
    supervisor: int
    report: str
    stdout: int
    stderr: int
    closed: Sequence[int]

    @property
    def is_python(self) -> bool:
        """Whether the entry point runs in this interpreter."""
        return self.argv[0].endswith(".py")


def begin(start: Start) -> NoReturn:
    """Lead a process group, write into the pipes, and become the entry point."""
    fresh.session()
    libc.die_with(start.supervisor)
    fresh.standard_streams(start.stdout, start.stderr)
    for descriptor in (*start.closed, start.stdout, start.stderr):
        os.close(descriptor)
    fresh.signals()
    fresh.file_modes()
    fresh.threads(start.environment, start.threads)
    if not start.is_python:
        _exec(start.argv)
    fresh.text_streams(start.environment)
    fresh.identity()
    script.run(start.argv, start.report)


def fail(error: Exception, report: str) -> NoReturn:
    """End a fork in which something went wrong before the script began; say what."""
    message = f"{type(error).__name__}: {error}"
    os.write(2, message.encode("utf-8", "backslashreplace") + b"\n")
    script.write_report(report, message, "", "")
    os._exit(1)


def _exec(argv: Sequence[str]) -> NoReturn:
    """Run any other entry point as the toolkit does, under /bin/sh, with its arguments whole."""
    entry = argv[0] if "/" in argv[0] else f"./{argv[0]}"
    with contextlib.suppress(OSError):  # the shell says what is wrong with it
        Path(entry).chmod(Path(entry).stat().st_mode | 0o111)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these; a shell must not
        signal.signal(number, signal.SIG_DFL)
    os.execv(_SHELL, [_SHELL, "-c", 'exec "$0" "$@"', entry, *argv[1:]])  # noqa: S606 - arguments stay arguments
