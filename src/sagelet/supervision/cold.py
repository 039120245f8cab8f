"""Starting a child without a zygote: a new interpreter, with the same order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sagelet.errors import ChildFailed
from sagelet.supervision import exits
from sagelet.supervision.child import Usage
from sagelet.supervision.process import ProcessId, started_at
from sagelet.worker.spec import Order, ServeOrder, to_json


class ColdChild:
    """A child whose parent is the daemon itself.

    It has to be started on the event loop's own thread: a serving worker is killed by the kernel
    when the thread that started it ends.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        """Take over a process that was just started."""
        self._popen = popen
        self.process = ProcessId(popen.pid, started_at(popen.pid) or 0.0)
        loop = asyncio.get_running_loop()
        self.exit_code: asyncio.Future[int] = loop.create_future()
        self.usage = Usage()
        self._watcher = loop.create_task(self._watch())

    @classmethod
    def start(cls, python: Path, package_path: Path, order: Order, fds: Sequence[int]) -> ColdChild:
        """Start an interpreter with an order; the descriptors remain the caller's.

        Raises:
            ChildFailed: the interpreter cannot be run.
        """
        # What fails before the worker's first line is to be seen where the worker would write.
        out, err = fds[1:] if isinstance(order, ServeOrder) else (subprocess.DEVNULL,) * 2
        with tempfile.TemporaryFile() as file:
            file.write(to_json(order).encode())
            file.seek(0)
            passed = (file.fileno(), *fds)
            try:
                popen = subprocess.Popen(
                    [python, "-m", "sagelet.worker.child", *map(str, passed)],
                    cwd=package_path,
                    env=_environment(order, package_path),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    pass_fds=passed,
                    start_new_session=True,
                )
            except OSError as error:
                raise ChildFailed(what=f"the interpreter {python}", log_tail=str(error)) from error
        return cls(popen)

    async def abandon(self) -> None:
        """Let it run on without us; its exit code stays untold."""
        self._watcher.cancel()
        await asyncio.gather(self._watcher, return_exceptions=True)
        if self._popen.poll() is None:
            self._popen.returncode = 0  # else Python warns that it still runs

    async def _watch(self) -> None:
        await exits.ended(self.process)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # Before its exit is collected, while the number is still its own.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.exit_code.set_result(self._collect())

    def _collect(self) -> int:
        """Collect the process with what it has used."""
        try:
            _, status, usage = os.wait4(self._popen.pid, 0)
        except ChildProcessError:  # it was collected by somebody else
            return self._popen.wait()
        unit_bytes = 1 if sys.platform == "darwin" else 1024
        self.usage.peak_bytes = usage.ru_maxrss * unit_bytes
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        return self._popen.returncode


def _environment(order: Order, package_path: Path) -> dict[str, str]:
    """Return the order's variables, so that Python and the loader read theirs; plus our path."""
    own = order.environment.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, (str(package_path), own)))
    return {**order.environment, "PYTHONPATH": path}
