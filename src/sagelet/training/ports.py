"""Ports of running jobs: two jobs at once, of whatever daemon, never get the same one.

PORTS/<port>     locked (flock) by the runner whose job uses the port; holds that job's name

On Linux a reserved port is also bound, without listening, by a socket that lets others bind it who
ask to (SO_REUSEADDR), as servers do: so the system gives it to nobody by chance, and the process
of the job that is to listen on it can.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from sagelet.errors import PortTaken

DRIVERS_PORT = 7777
"""Where the hosts of a job meet whose program is the SDK's own driver, which knows no other."""

FIRST, LAST = 24000, 24999
"""Ports that no system hands out by itself (Linux begins at 32768, macOS at 49152)."""


class PortLock:
    """The lock of one port, which ends with this process at the latest."""

    def __init__(self, folder: Path, port: int) -> None:
        """Open the lock's file; nothing is held before it is taken."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)

    def try_take(self, job: str) -> bool:
        """Take the lock for a job, unless another has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._sign(job)
        return True

    @property
    def holder(self) -> str:
        """The job that has the lock, or had it last."""
        return os.pread(self._file, 4096, 0).decode("utf-8", "replace")

    def close(self) -> None:
        """Let the lock go."""
        os.close(self._file)

    def _sign(self, job: str) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, job.encode("utf-8"), 0)


class Reservation:
    """A port that is a job's alone until it is closed."""

    def __init__(self, port: int, held: ExitStack) -> None:
        """Keep what holds the port."""
        self.port = port
        self._held = held

    def close(self) -> None:
        """Give the port back."""
        self._held.close()


def reserve(folder: Path, job: str) -> Reservation:
    """Return a port that no other job has and nobody listens on.

    Raises:
        PortTaken: there is none left.
    """
    for port in _candidates():
        with ExitStack() as held:
            lock = PortLock(folder, port)
            held.callback(lock.close)
            if lock.try_take(job) and _hold(port, held):
                return Reservation(port, held.pop_all())
    raise PortTaken(port=LAST, owner=f"another job, as is every other port from {FIRST} on")


def _candidates() -> Iterator[int]:
    """All ports that may be had, from anywhere: one that was just given back is not the next."""
    count = LAST - FIRST + 1
    begin = int.from_bytes(os.urandom(4))
    return (FIRST + (begin + step) % count for step in range(count))


def _hold(port: int, held: ExitStack) -> bool:
    """Bind a port as long as `held` lives, or where that would be in the way try it; say whether.

    An exclusive bind fails where anybody has the port, even one who reserves it like us. What is
    set on the socket after it only tells the system who else may bind it from now on.
    """
    with ExitStack() as bound:
        for family, address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
            try:
                holder = bound.enter_context(socket.socket(family))
            except OSError:  # no IPv6 on this machine
                continue
            if family == socket.AF_INET6:
                holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                holder.bind((address, port))
            except OSError as error:
                if family == socket.AF_INET6 and error.errno == errno.EADDRNOTAVAIL:
                    continue
                return False
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            held.push(bound.pop_all())
    return True
