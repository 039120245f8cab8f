"""One daemon a home: a lock that the kernel drops with the process, and daemon.json."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from types import TracebackType
from typing import Self

from sagelet import __version__
from sagelet.domain.home import Home
from sagelet.environments import daemon
from sagelet.environments.whole_files import write_whole
from sagelet.errors import DaemonRunning, StateError
from sagelet.supervision.process import started_at

_INTRODUCTION_S = 2.0


class Instance:
    """This daemon's claim on a home, from construction until `release` or the process's end."""

    def __init__(self, home: Home) -> None:
        """Claim a home.

        Raises:
            DaemonRunning: another daemon holds it.
            StateError: the folder cannot be made or written.
        """
        self._home = home
        try:
            home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(home.daemon_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(path=str(home.root), problem=str(error)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise StateError(path=str(home.daemon_lock), problem=str(error)) from error
            raise self._other() from error

    def _other(self) -> DaemonRunning:
        """Name who holds the lock; one that has only just started needs a moment to say so."""
        deadline = time.monotonic() + _INTRODUCTION_S
        info = daemon.read(self._home)
        while info is None and time.monotonic() < deadline:
            time.sleep(0.02)
            info = daemon.read(self._home)
        if info is None:
            return DaemonRunning(
                pid=0, address="an address not yet known", home=str(self._home.root)
            )
        return DaemonRunning(pid=info.pid, address=info.address, home=str(self._home.root))

    def announce(self, address: str) -> None:
        """Write daemon.json: from now on clients find this daemon."""
        pid = os.getpid()
        text = json.dumps(
            {
                "pid": pid,
                "started_at": started_at(pid),
                "address": address,
                "version": __version__,
            }
        )
        write_whole(self._home.daemon_file, text + "\n", mode=0o600)

    def release(self) -> None:
        """Take back what was announced and drop the lock."""
        self._home.daemon_file.unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the home."""
        self.release()
