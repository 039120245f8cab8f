"""What a training host leaves on disk: its journal as it runs, and its exit when it has ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from sagelet.worker.loglines import encode_record
from sagelet.worker.spec import HostExit, to_json

FIRST_SIGNAL_STATUS = 128
"""A shell whose command was ended by a signal exits with this and the signal's number."""

_TRIES = 60


class Journal:
    """A log stream's file, open for appending. Nothing that goes wrong with it stops the script."""

    def __init__(self, path: str) -> None:
        """Open (or make) the file.

        Raises:
            OSError: the folder cannot be made, or the file not opened.
        """
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.problem = ""
        self._torn = b""

    def append(self, lines: Iterable[str]) -> None:
        """Add lines with the present time; after an error, in `problem`, some may be missing."""
        ms = int(time.time() * 1000)
        data = memoryview(self._torn + b"".join(encode_record(ms, line) for line in lines))
        self._torn = b""
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            self._torn = b"\n"  # so that half a record does not spoil the next one
            self.problem = f"log lines were lost: {error.strerror}"

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def write_exit(path: str, ended: HostExit) -> bool:
    """Write how a host ended: whole, or not at all, and safe from a power cut.

    On a full disk it is tried again for a minute, since nothing else knows the exit; False then.
    """
    for _ in range(_TRIES - 1):
        if _written(path, ended):
            return True
        time.sleep(1)
    return _written(path, ended)


def _written(path: str, ended: HostExit) -> bool:
    try:
        _write(path, ended)
    except OSError:
        return False
    return True


def _write(path: str, ended: HostExit) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(to_json(ended) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def signal_of(code: int) -> str:
    """Name the signal of an exit code: one below zero, or a shell's for one of its commands."""
    number = -code if code < 0 else code - FIRST_SIGNAL_STATUS
    try:
        named = f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"killed by signal {number}" if code < 0 else ""
    return f"killed by {named}" if code < 0 else f"a command in it was killed by {named}"
