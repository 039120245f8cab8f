"""The zygote: a process that has imported what is slow to import, and forks on request.

    python -m sagelet.worker.zygote FD MODULE…

It imports and never computes: a parallel operation here would hang the first one of a child. It
has one thread, one socket, and no other descriptor. A request is a frame whose body is an order
and which carries the order's descriptors (SCM_RIGHTS).

    zygote -> daemon   ready     imported, skipped, loaded, python, folders, fingerprint, complete
    daemon -> zygote   proceed   (after the first `ready`) nothing more waits for it: go on
                       fork      id, kind; the body is the order
    zygote -> daemon   forked    id, pid, started_at
                       refused   id, error
                       exited    pid, code

`ready` comes when the first module is there and again when all are; what is asked for in between
is forked in between. When the daemon goes, serving workers have to go, and training hosts stay.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import platform
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from sagelet.worker import fresh, installed, leaving, processes, shadowing
from sagelet.worker.child import become
from sagelet.worker.frames import PREFIX_BYTES, Frame, encode_frame, finish_frame
from sagelet.worker.spec import order_from_json
from sagelet.worker.waking import Wake

OURS = ("sagelet.worker.serving.loop",)
"""What of our own a worker needs; a few milliseconds each."""

_MOST_FDS = 16
_PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT
_WORKERS_GO_WITHIN_S = 2.0
_PROCEED_WITHIN_S = 1.0


@dataclass(frozen=True)
class Request:
    """What a fork is to become."""

    order: str
    fds: tuple[int, ...]


class Zygote:
    """One end of the socket pair, and the children that were forked for the other end."""

    def __init__(self, connection: socket.socket) -> None:
        """Take the socket; nothing is imported or forked before `run`."""
        self._connection = connection
        self._wake = Wake()
        self._kinds: dict[int, str] = {}
        self._imported: list[str] = []
        self._skipped: dict[str, str] = {}
        self._may_proceed = False
        self._folders = installed.folders()
        self._fingerprint = installed.fingerprint(self._folders)

    def run(self, modules: Sequence[str]) -> Request:
        """Import and fork until the daemon goes. Returns in the forks, with what they are for."""
        self._wake.listen()
        for module in (*modules, *OURS):
            self._import(module)
            is_first = len(self._imported) == 1 and module in self._imported
            if is_first:
                self._say_ready(complete=False)
            gc.freeze()
            request = self._serve(_PROCEED_WITHIN_S if is_first else 0)
            if request is not None:
                return request
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._say_ready(complete=True)
        while True:
            request = self._serve(None)
            if request is not None:
                return request

    def _import(self, module: str) -> None:
        # An import may take seconds, and who waits for a worker that died is not to wait for it.
        before = signal.signal(signal.SIGCHLD, self._report_workers)
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a broken package must not keep the others cold; it is reported
            if not _is_no_part(module, error):
                self._skipped[module] = f"{type(error).__name__}: {error}"
        else:
            self._imported.append(module)
        finally:
            signal.signal(signal.SIGCHLD, before)

    def _report_workers(self, _number: int, _frame: object) -> None:
        """Tell of our children that have ended; those of a module that is imported are its own."""
        for pid in list(self._kinds):
            with contextlib.suppress(ChildProcessError):
                if os.waitid(os.P_PID, pid, _PEEK) is not None:
                    self._report(*self._collect(pid))

    def _say_ready(self, *, complete: bool) -> None:
        self._send(
            {
                "op": "ready",
                "imported": self._imported,
                "skipped": self._skipped,
                "loaded": sorted(shadowing.imported()),
                "python": platform.python_version(),
                "folders": self._folders,
                "fingerprint": self._fingerprint,
                "complete": complete,
            }
        )

    def _serve(self, timeout_s: float | None) -> Request | None:
        """Do what is asked until nothing is for a while; in a fork, return what it is for."""
        self._may_proceed = False
        while not self._may_proceed:
            watched: list[Any] = [self._connection, self._wake]
            readable, _, _ = select.select(watched, [], [], timeout_s)
            if self._wake in readable:
                self._wake.clear()
                self._report_exits()
            if self._connection in readable:
                request = self._answer()
                if request is not None:
                    return request
            if not readable:
                break
        return None

    def _answer(self) -> Request | None:
        frame, fds = self._receive()
        if frame is None:
            self._end()
        if frame.header["op"] == "proceed":
            self._may_proceed = True
            return None
        refused = ""
        try:
            pid = os.fork()
        except OSError as error:
            pid, refused = -1, str(error)
        if pid == 0:
            self._wake.close()
            self._connection.close()
            return Request(frame.body.decode("utf-8"), fds)
        for descriptor in fds:
            os.close(descriptor)
        if refused:
            self._send({"op": "refused", "id": frame.header["id"], "error": refused})
            return None
        self._kinds[pid] = frame.header["kind"]
        # Nobody but us can collect it, so the number is still its own.
        stat = processes.read_stat(pid)
        started_at = stat.started_s if stat is not None else 0.0
        forked = {"op": "forked", "id": frame.header["id"], "pid": pid, "started_at": started_at}
        self._send(forked)
        return None

    def _receive(self) -> tuple[Frame | None, tuple[int, ...]]:
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            begun, fds, _, _ = socket.recv_fds(self._connection, PREFIX_BYTES, _MOST_FDS, flags)
            frame = finish_frame(self._connection, begun) if begun else None
        except ConnectionError:
            return None, ()
        return frame, tuple(fds)

    def _send(self, header: dict[str, Any]) -> None:
        try:
            self._connection.sendall(encode_frame(header))
        except ConnectionError:
            self._end()

    def _report_exits(self) -> None:
        for exited in self._exits():
            self._report(*exited)

    def _report(self, pid: int, code: int, peak_kib: int) -> None:
        self._send({"op": "exited", "pid": pid, "code": code, "peak_kib": peak_kib})

    def _exits(self) -> list[tuple[int, int, int]]:
        """Collect the children that have ended, and end what they left in their groups."""
        ended = []
        with contextlib.suppress(ChildProcessError):
            while (child := os.waitid(os.P_ALL, 0, _PEEK)) is not None:
                ended.append(self._collect(child.si_pid))
        return ended

    def _collect(self, pid: int) -> tuple[int, int, int]:
        """Collect a child that has ended: its pid, its exit code, and its most memory in KiB."""
        _kill_group(pid)  # before it is collected: the number is still its own
        _, status, usage = os.wait4(pid, 0)
        self._kinds.pop(pid, None)
        return pid, os.waitstatus_to_exitcode(status), usage.ru_maxrss

    def _end(self) -> NoReturn:
        """The daemon has gone: see the serving workers off, and leave."""
        self._connection.close()
        until = time.monotonic() + _WORKERS_GO_WITHIN_S
        while "serve" in self._kinds.values():
            left_s = until - time.monotonic()
            if left_s <= 0:
                break
            select.select([self._wake], [], [], left_s)
            self._wake.clear()
            self._exits()
        for pid, kind in self._kinds.items():
            if kind == "serve":
                _kill_group(pid)
        os._exit(0)


def _is_no_part(module: str, error: Exception) -> bool:
    """Whether a package that is there lacks a module, in its present version."""
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    return "." in missing and f"{module}.".startswith(f"{missing}.")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main(arguments: Sequence[str]) -> NoReturn:
    """Be a zygote; in a fork, be what was asked for."""
    fresh.forget_the_start()
    descriptor, *modules = arguments
    gc.disable()
    before = dict(os.environ)
    request = Zygote(socket.socket(fileno=int(descriptor))).run(modules)
    gc.enable()
    leaving.spare_the_imported()
    changed = {name: value for name, value in os.environ.items() if before.get(name) != value}
    become(order_from_json(request.order), request.fds, changed)


if __name__ == "__main__":
    main(sys.argv[1:])
