"""A program on a terminal of its own: what it shows is read, and keys are pressed."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
# Only the leader of a session can take a terminal for its own, and then Ctrl-C is a signal.
_TAKE = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs Python with arguments on a pseudo-terminal, 200 columns wide."""

    def __init__(self, *arguments: str, cwd: Path, environment: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(self._ours, (50, 200))
        self._text = ""
        self._read_to = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE, *arguments],
            cwd=cwd,
            env={**environment, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        os.close(self._ours)

    @property
    def text(self) -> str:
        """All that was shown so far."""
        return self._text

    def press(self, keys: str) -> None:
        """Press keys; "\\x03" is Ctrl-C."""
        os.write(self._ours, keys.encode())

    def shows(self, pattern: str, *, within_s: float = PATIENCE_S) -> re.Match[str]:
        """Wait until something is shown, after what was waited for before; return it."""
        deadline = time.monotonic() + within_s
        while True:
            if match := re.compile(pattern).search(self._text, self._read_to):
                self._read_to = match.end()
                return match
            left = deadline - time.monotonic()
            assert left > 0, f"not shown: {pattern!r}\n{self._text[self._read_to :]}"
            if not self._read(left):
                raise AssertionError(f"it ended before it showed {pattern!r}\n{self._text}")

    def ends(self, *, within_s: float = PATIENCE_S) -> int:
        """Wait for its end; return its exit code."""
        deadline = time.monotonic() + within_s
        while self._read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline, f"it goes on\n{self._text}"
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, within_s: float) -> bool:
        """Read what there is; False at the end of the terminal."""
        if not select.select([self._ours], [], [], within_s)[0]:
            return True
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux's way to say that nobody holds the other side
            return False
        self._text += _MOVES.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)
