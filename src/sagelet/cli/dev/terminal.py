"""Workers on this terminal: the daemon asks at a socket, and a process is started here.

Each order gets a process of its own. When an edit asks for fresh workers, the new one loads while
the one before it still serves, and that one ends when the new one has taken over.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from sagelet.supervision import foreground
from sagelet.worker.spec import to_json

_GRACE_S = 2.0


class TerminalWorkers:
    """Listens for a daemon's orders, and starts workers on this terminal."""

    def __init__(
        self,
        python: Path,
        *,
        package_path: Path,
        debugpy_port: int | None = None,
        on_problem: Callable[[str], None],
    ) -> None:
        """Begin to listen, in a folder that nobody else may enter."""
        self._python = python
        self._package_path = package_path
        self._debugpy_port = debugpy_port
        self._on_problem = on_problem
        self._folder = Path(tempfile.mkdtemp(prefix="sagelet-debug-"))
        self.path = self._folder / "attach"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._children: list[subprocess.Popen[bytes]] = []
        self._is_closed = False
        # The kernel ends a worker when the thread that started it ends: this one lives on.
        threading.Thread(target=self._accept, name="attach", daemon=True).start()

    def close(self) -> None:
        """Take no more orders, and end the workers."""
        self._is_closed = True
        for child in self._children:
            child.terminate()
        for child in self._children:
            try:
                child.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        # Only now: with the thread that accepts, the kernel would end what it has started.
        with contextlib.suppress(OSError):  # it wakes that thread, where it can
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed: no more orders
            if self._is_closed:
                connection.close()
                continue
            try:
                self._start(connection)
            except (OSError, ValueError) as error:
                self._on_problem(f"no worker was started: {error}")
                connection.close()

    def _start(self, connection: socket.socket) -> None:
        order, fds = foreground.receive(connection)
        try:
            child = self._popen(to_json(order), fds, order.environment.get("PYTHONPATH", ""))
        finally:
            for descriptor in fds:
                os.close(descriptor)
        self._children.append(child)
        connection.sendall(_line(pid=child.pid))
        threading.Thread(target=_follow, args=(child, connection), daemon=True).start()

    def _popen(self, order: str, fds: Sequence[int], pythonpath: str) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(self._package_path), pythonpath)))
        with tempfile.TemporaryFile() as file:
            file.write(order.encode())
            file.seek(0)
            passed = (file.fileno(), *fds)
            return subprocess.Popen(
                [self._python, *self._worker(), *map(str, passed)],
                cwd=self._package_path,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=passed,
            )

    def _worker(self) -> list[str]:
        """Return how Python runs a worker here; only the first one waits for a debugger."""
        worker = ["-m", "sagelet.worker.debugging"]
        if self._debugpy_port is None:
            return worker
        # Frozen modules have no source that a debugger could show.
        frozen = ["-X", "frozen_modules=off"]
        waits = [] if self._children else ["--wait"]
        return [*frozen, *worker, "--debugpy", str(self._debugpy_port), *waits]


def _follow(child: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """Tell the daemon how a worker ended."""
    code = child.wait()
    with connection:
        try:
            connection.sendall(_line(exit_code=code))
        except OSError:
            return  # the daemon is gone; nobody is to be told


def _line(**facts: int) -> bytes:
    return json.dumps(facts).encode() + b"\n"
