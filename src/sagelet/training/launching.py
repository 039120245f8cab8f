"""Starting a host: by the daemon that started the runner, or cold where the daemon is gone.

The daemon forks the host from a warm zygote. Its death never stops a job: what it would have done
is then done here.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sagelet.errors import ChildFailed
from sagelet.supervision.process import ProcessId, started_at
from sagelet.training.order import Places
from sagelet.worker.frames import encode_frame, read_frame
from sagelet.worker.spec import HostOrder, to_json


@dataclass(frozen=True, slots=True)
class Launched:
    """A host's supervisor, and whether it was forked from a warm zygote."""

    process: ProcessId
    warm: bool


class DaemonLink:
    """The daemon that started this runner, for as long as it is there."""

    def __init__(self, descriptor: int | None) -> None:
        """Take the runner's end of the socket pair; None where there never was a daemon."""
        self._socket: socket.socket | None = None
        if descriptor is not None:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - as the standard library has it
            self._socket = socket.socket(fileno=descriptor)

    def wait_for_job(self) -> str | None:
        """Wait for the folder of a job; None where the daemon hangs up instead."""
        if self._socket is None:
            return None
        try:
            frame = read_frame(self._socket)
        except OSError:
            return None
        return None if frame is None else str(frame.header["dir"])

    def nudge(self) -> None:
        """Tell the daemon that the journal has grown."""
        self._send({"op": "event"})

    def launch(self, orders: Sequence[HostOrder]) -> list[Launched | ChildFailed | None]:
        """Have hosts started, all at once; for each, what became of it: None without a daemon."""
        for order in orders:
            self._send({"op": "launch", "order": asdict(order)})
        return [self._launched() for _ in orders]

    def _launched(self) -> Launched | ChildFailed | None:
        """Read the next answer."""
        if self._socket is None:
            return None
        try:
            answer = read_frame(self._socket)
        except OSError:
            answer = None
        if answer is None:
            self._hang_up()
            return None
        header = answer.header
        if header["op"] == "refused":
            return ChildFailed(what="the host", log_tail=str(header["why"]))
        return Launched(ProcessId(header["pid"], header["started_at"]), warm=header["warm"])

    def _send(self, header: Mapping[str, object]) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendall(encode_frame(header))
        except OSError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def start(
    orders: Sequence[HostOrder], link: DaemonLink, places: Places
) -> list[Launched | ChildFailed]:
    """Start hosts at once, by the daemon or where there is none here; say what became of each."""
    answers = link.launch(orders)
    return [
        _cold(order, places) if answer is None else answer
        for order, answer in zip(orders, answers, strict=True)
    ]


def _cold(order: HostOrder, places: Places) -> Launched | ChildFailed:
    try:
        return start_cold(order, places)
    except ChildFailed as error:
        return error


def start_cold(order: HostOrder, places: Places) -> Launched:
    """Start a host in a new interpreter, in a session of its own.

    Raises:
        ChildFailed: the interpreter cannot be started.
    """
    own = order.environment.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (places.package_path, own) if part)
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [places.python, "-m", "sagelet.worker.child", str(reading)],
            pass_fds=(reading,),
            env={**order.environment, "PYTHONPATH": path},
            cwd=places.package_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        os.close(writing)
        raise _not_started(places, error) from error
    finally:
        os.close(reading)
    launched = Launched(ProcessId(process.pid, started_at(process.pid) or 0.0), warm=False)
    process.returncode = 0  # else Python warns that it still runs; whoever watches it collects it
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(to_json(order))
    except BrokenPipeError as error:
        raise _not_started(places, error) from error
    return launched


def _not_started(places: Places, error: OSError) -> ChildFailed:
    return ChildFailed(what=f"the interpreter {places.python}", log_tail=str(error))
