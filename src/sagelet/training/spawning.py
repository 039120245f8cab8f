"""Starting a job's runner, detached: it goes on when the daemon ends.

A new interpreter needs about 0.1 s before it can begin. So once a job was run here, a spare runner
is kept that has that behind it, and waits for its job; it ends with the daemon, or when no job came
for a while.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.supervision.process import ProcessId, started_at
from sagelet.training import libraries
from sagelet.training.order import JobPaths
from sagelet.training.waiting import HEARD
from sagelet.worker.frames import encode_frame

SPARE_FOR_S = 600.0

# Where there is a /proc, a runner begins without a look at site-packages: see `libraries`.
_FLAGS = ("-P", "-S") if sys.platform == "linux" else ("-P",)


@dataclass(frozen=True, slots=True)
class RunnerProcess:
    """A runner that this daemon started, and the daemon's end of their socket pair."""

    child: subprocess.Popen[bytes]
    process: ProcessId
    socket: socket.socket

    def let_go(self) -> None:
        """Hang up; a runner that still runs goes on alone."""
        self.socket.close()
        if self.child.poll() is None:
            self.child.returncode = 0  # else Python warns that it still runs

    def dismiss(self) -> None:
        """Hang up on a spare, which then ends, and collect its exit code."""
        self.socket.close()
        self.child.wait()


class Runners:
    """Starts runners. Every method may block, and may be called from any thread."""

    def __init__(self, package_path: Path, environment: Mapping[str, str]) -> None:
        """Say what a runner finds our package by, and its environment; nothing is started."""
        self._package_path = package_path
        self._environment = environment
        self._libraries = libraries.folder()
        self._lock = threading.Lock()
        self._spare: RunnerProcess | None = None
        self._spare_since = 0.0
        self._is_closed = False

    def start(self, paths: JobPaths, variables: Mapping[str, str] | None = None) -> RunnerProcess:
        """Give a job's folder to the spare runner, or to a new one.

        A runner with `variables` of its own is a new one, that finds site-packages, too.

        Raises:
            OSError: none can be started.
        """
        spare = None
        if variables is None:
            with self._lock:
                spare, self._spare = self._spare, None
        if spare is not None:
            try:
                spare.socket.sendall(encode_frame({"op": "job", "dir": str(paths.root)}))
            except OSError:  # somebody ended it
                spare.dismiss()
            else:
                spare.socket.settimeout(0)
                return spare
        with paths.runner_log.open("ab") as log:
            started = self._spawn(str(paths.root), output=log.fileno(), variables=variables)
        started.socket.settimeout(0)
        return started

    def keep_spare(self) -> None:
        """Have a spare runner from now on, for a while.

        Raises:
            OSError: it cannot be started.
        """
        with self._lock:
            self._spare_since = time.monotonic()
            if self._spare is None and not self._is_closed:
                self._spare = self._spawn(output=subprocess.DEVNULL)

    def dismiss_spare(self, *, unused_for_s: float = 0.0) -> None:
        """Let the spare runner go, if it is there and nobody needed it for so long."""
        with self._lock:
            if self._spare is None or time.monotonic() - self._spare_since < unused_for_s:
                return
            spare, self._spare = self._spare, None
        spare.dismiss()

    def close(self) -> None:
        """Let the spare runner go, and keep none any more; runners that have a job run on."""
        self._is_closed = True
        self.dismiss_spare()

    def _spawn(
        self, *job_dir: str, output: int, variables: Mapping[str, str] | None = None
    ) -> RunnerProcess:
        ours, theirs = socket.socketpair()
        # What comes before the runner can take it must wait for it, not kill it: the mask is
        # inherited, and `waiting.Signals` lifts it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        try:
            child = subprocess.Popen(
                [
                    sys.executable,
                    *(_FLAGS if variables is None else _FLAGS[:1]),
                    *("-m", "sagelet.training.runner"),
                    *("--libraries", self._libraries),
                    *("--daemon-fd", str(theirs.fileno())),
                    *job_dir,
                ],
                pass_fds=(theirs.fileno(),),
                env={
                    **self._environment,
                    **(variables or {}),
                    "PYTHONPATH": str(self._package_path),
                },
                cwd=self._package_path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=0o077,
            )
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        return RunnerProcess(child, ProcessId(child.pid, started_at(child.pid) or 0.0), ours)
