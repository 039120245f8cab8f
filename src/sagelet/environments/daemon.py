"""The daemon of a home: is it there, start it, stop it.

A daemon says where it is in `daemon.json`. Whoever needs one and finds none starts it; two that do
so at the same time take turns at a lock, and the second uses what the first has started.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
import psutil

from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.environments.locks import exclusive
from sagelet.errors import DaemonStartFailed, StateError, VersionSkew
from sagelet.worker import processes

_LOG = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "sagelet", "up", "--foreground")
START_DEADLINE_S = 20.0
STOP_GRACE_S = 30.0

_LOOK_EVERY_S = 0.01
_ANSWER_DEADLINE_S = 2.0
_KILL_DEADLINE_S = 5.0
_TAIL_BYTES = 4096
_TAIL_LINES = 20
# The kernel counts a process's start in hundredths of a second.
_SAME_START_S = 0.005

# A daemon is shared by every project of its user, so it does not keep what belongs to the project,
# or to the AWS account, of whoever happened to start it.
_NOT_INHERITED = ("DEPLOY_ENV", "SAGELET_CONFIG")
_NOT_INHERITED_PREFIXES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY", "AWS_SECRET_", "AWS_SESSION_")


@dataclass(frozen=True, slots=True)
class DaemonInfo:
    """A running daemon. `started_at` is the process's start, for comparing with only."""

    pid: int
    started_at: float
    address: str
    version: str


def find_home(environ: Mapping[str, str] | None = None) -> Home:
    """Return the home: `$SAGELET_HOME`, else the platform's folder for a user's state."""
    named = (os.environ if environ is None else environ).get("SAGELET_HOME")
    if named:
        return Home(Path(named).expanduser().absolute())
    return Home(platformdirs.user_state_path("sagelet", appauthor=False))


def read(home: Home) -> DaemonInfo | None:
    """Return the daemon that runs on a home; None if there is none, or only its file is left."""
    try:
        said = json.loads(home.daemon_file.read_text(encoding="utf-8"))
        info = DaemonInfo(
            pid=int(said["pid"]),
            started_at=float(said["started_at"]),
            address=str(said["address"]),
            version=str(said["version"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("%s cannot be used: %s", home.daemon_file, error)
        return None
    return info if _runs(info) else None


def ensure(
    home: Home,
    *,
    deadline_s: float = START_DEADLINE_S,
    command: Sequence[str] = COMMAND,
    on_start: Callable[[DaemonInfo], None] | None = None,
) -> DaemonInfo:
    """Return the home's daemon, which is started if there is none.

    `on_start` is called with a daemon that this call has started.

    Raises:
        DaemonStartFailed: it did not come up; the error has the end of its log.
        VersionSkew: the daemon that runs is of another release.
        StateError: the home cannot be made or written.
    """
    info = read(home)
    if info is None:
        info = _start_in_turn(home, command, time.monotonic() + deadline_s, on_start)
    if info.version != __version__:
        raise VersionSkew(daemon=info.version, ours=__version__)
    return info


def stop(home: Home, *, grace_s: float = STOP_GRACE_S) -> DaemonInfo | None:
    """Ask the home's daemon to end, then insist; return what ran, or None if nothing did.

    It drains its endpoints within `grace_s`; training jobs go on without it.
    """
    info = read(home)
    if info is None:
        return None
    _send(info, signal.SIGTERM)
    if not _ends_within(info, grace_s):
        _LOG.warning("the daemon (pid %d) did not end in %.0f s; killed", info.pid, grace_s)
        _send(info, signal.SIGKILL)
        _ends_within(info, _KILL_DEADLINE_S)
    return info


def is_answering(info: DaemonInfo, *, timeout_s: float = _ANSWER_DEADLINE_S) -> bool:
    """Ask a daemon's /healthz, past any proxy."""
    at = urlsplit(info.address)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=timeout_s)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status == 200


def _runs(info: DaemonInfo) -> bool:
    started = _started_at(info.pid)
    return started is not None and abs(started - info.started_at) < _SAME_START_S


def _send(info: DaemonInfo, number: signal.Signals) -> None:
    try:
        os.kill(info.pid, number)
    except ProcessLookupError:
        _LOG.debug("the daemon (pid %d) ended by itself", info.pid)


def _ends_within(info: DaemonInfo, seconds: float) -> bool:
    """Wait for a daemon's end; one whose exit code nobody collects, in a container, has ended."""
    deadline = time.monotonic() + seconds
    while _runs(info):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _started_at(pid: int) -> float | None:
    """Return what the daemon wrote of itself: on Linux seconds since the machine's start.

    No jump of the clock changes those. None where no such process runs; a zombie does not.
    """
    if sys.platform != "linux":
        return _created_at(pid)
    stat = processes.read_stat(pid)
    return None if stat is None or stat.is_dead else stat.started_s


def _created_at(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _start_in_turn(
    home: Home,
    command: Sequence[str],
    deadline: float,
    on_start: Callable[[DaemonInfo], None] | None,
) -> DaemonInfo:
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(home.root / "start.lock", deadline_s=deadline - time.monotonic()):
            info = read(home)
            if info is None:
                info = _start(home, command, deadline)
                if on_start is not None:
                    on_start(info)
            return info
    except TimeoutError as error:
        raise DaemonStartFailed(log=str(home.daemon_log), log_tail=str(error)) from error
    except OSError as error:
        raise StateError(str(home.root), error.strerror or str(error)) from error


def _start(home: Home, command: Sequence[str], deadline: float) -> DaemonInfo:
    child = _Child(home, command)
    while time.monotonic() < deadline:
        # First look whether it ended: what it announced before that still stands to be read.
        ended = child.ended.wait(_LOOK_EVERY_S)
        info = read(home)
        if info is not None and is_answering(info):
            return info
        if ended:
            break
    else:
        child.give_up()
    raise DaemonStartFailed(
        log=str(home.daemon_log), log_tail=child.log_tail(), exit_code=child.exit_code
    )


class _Child:
    """A daemon that was just started, in a session of its own, with its output in its log."""

    def __init__(self, home: Home, command: Sequence[str]) -> None:
        self._log = home.daemon_log
        self.ended = threading.Event()
        descriptor = os.open(
            self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            self._log_from = os.fstat(descriptor).st_size
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd=home.root,
                env=_environment(home),
                start_new_session=True,
                umask=0o077,
            )
        finally:
            os.close(descriptor)
        # Somebody has to collect the daemon if it ends before this program does.
        threading.Thread(target=self._collect, name="sagelet-daemon", daemon=True).start()

    def _collect(self) -> None:
        self._process.wait()
        self.ended.set()

    @property
    def exit_code(self) -> int | None:
        """How it ended, if it has."""
        return self._process.returncode

    def give_up(self) -> None:
        """End a daemon that did not come up in time."""
        self._process.terminate()
        if not self.ended.wait(_KILL_DEADLINE_S):
            self._process.kill()

    def log_tail(self) -> str:
        """Return the last lines that this daemon wrote."""
        with self._log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_from, end - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


def _environment(home: Home) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_INHERITED and not name.startswith(_NOT_INHERITED_PREFIXES)
    }
    return {**kept, "SAGELET_HOME": str(home.root)}
