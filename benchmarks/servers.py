"""A server under load: how one is started, asked until it answers, and ended."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.material import BODY, Material

START_DEADLINE_S = 60.0
STOP_S = 15.0
ASK_EVERY_S = 0.005
_ASK_TIMEOUT_S = 30.0
_TAIL_LINES = 15


class DidNotRun(Exception):
    """A server could not be measured; the text says why."""


FAILURES = (
    DidNotRun,
    OSError,
    ValueError,
    AssertionError,
    psutil.Error,
    subprocess.SubprocessError,
    BotoCoreError,
    ClientError,
)
"""What measuring may raise for reasons of what is measured; anything else is our own mistake."""


@dataclass(frozen=True)
class Running:
    """A server that has answered.

    `root_pid` is the process at or below which all of it runs; `headers` are those of a request, as
    they have to be now; `start_s` is how long the first 200 took from nothing.
    """

    url: str
    root_pid: int
    headers: Callable[[], Mapping[str, str]]
    start_s: float


class Server(Protocol):
    """Something to be measured. `warm_s` is how long it runs under load before that."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    @property
    def warm_s(self) -> float:
        """How many seconds of load come before what is measured."""
        ...

    def version(self) -> str:
        """Return which release of what is measured."""
        ...

    def run(self, material: Material) -> AbstractContextManager[Running]:
        """Serve the material, from nothing.

        Raises:
            DidNotRun: it does not come up, or answers something else.
        """
        ...


def ask(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Post the request once from a connection of its own; return status and body."""
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=_ASK_TIMEOUT_S)
    try:
        connection.request("POST", at.path, BODY, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def first_answer(
    url: str,
    headers: Callable[[], Mapping[str, str]],
    *,
    has_ended: Callable[[], bool],
    log: Path,
) -> bytes:
    """Ask until the first 200 and return its body.

    Raises:
        DidNotRun: none came in time, or the server ended.
    """
    deadline = time.monotonic() + START_DEADLINE_S
    last = "no connection"
    while time.monotonic() < deadline and not has_ended():
        try:
            status, body = ask(url, headers())
        except (OSError, http.client.HTTPException) as error:
            last = repr(error)
        else:
            if status == 200:
                return body
            last = f"{status}: {body[:200]!r}"
        time.sleep(ASK_EVERY_S)
    raise DidNotRun(f"it did not answer ({last}); its log ends:\n{tail(log)}")


def check(material: Material, body: bytes) -> None:
    """See to it that a server answers what the handlers do.

    Raises:
        DidNotRun: it does not.
    """
    try:
        same = material.is_answer(body)
    except ValueError as error:
        raise DidNotRun(f"it answered {body[:200]!r}") from error
    if not same:
        raise DidNotRun(f"it answered {body[:200]!r} instead of {material.expected}")


@contextmanager
def process(
    argv: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a session of its own, and end it with all that it started."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            [str(word) for word in argv],
            cwd=cwd,
            env={**_inherited(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        end(started)


def end(started: subprocess.Popen[bytes]) -> None:
    """End a program and what it started."""
    started.terminate()
    try:
        started.wait(STOP_S)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()
    # What it started and left behind would disturb whoever is measured next.
    try:
        os.killpg(started.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


def _inherited() -> dict[str, str]:
    # A peer runs in an environment of its own: nothing here may reach into it.
    left_out = ("PYTHON", "VIRTUAL_ENV", "SAGELET_", "SAGEMAKER_", "AWS_", "TS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
