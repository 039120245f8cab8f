"""Starting a job's runner, detached: it goes on when the daemon ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from sagelet.supervision.process import ProcessId, started_at
from sagelet.training.order import JobPaths

# Where there is a /proc, a runner needs nothing of site-packages, and begins without a look there.
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


def spawn(paths: JobPaths, *, package_path: str, environment: Mapping[str, str]) -> RunnerProcess:
    """Start a runner on a job's folder.

    Raises:
        OSError: it cannot be started.
    """
    ours, theirs = socket.socketpair()
    with theirs, paths.runner_log.open("ab") as log:
        # A stop that comes before the runner can take it must wait for it, not kill it: the mask is
        # inherited, and `waiting.Signals` lifts it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            child = subprocess.Popen(
                [
                    sys.executable,
                    *_FLAGS,
                    *("-m", "sagelet.training.runner"),
                    str(paths.root),
                    *("--daemon-fd", str(theirs.fileno())),
                ],
                pass_fds=(theirs.fileno(),),
                env={**environment, "PYTHONPATH": package_path},
                cwd=paths.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    ours.settimeout(0)
    return RunnerProcess(child, ProcessId(child.pid, started_at(child.pid) or 0.0), ours)
