"""A lock between processes, waited for with a deadline; the kernel drops it with its holder."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK_EVERY_S = 0.01


@contextmanager
def exclusive(file: Path, *, deadline_s: float) -> Iterator[None]:
    """Hold the lock on a file, which is made if it is not there.

    Raises:
        TimeoutError: another process held it for longer than `deadline_s`.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(descriptor, file, time.monotonic() + deadline_s)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, file: Path, deadline: float) -> None:
    pause = threading.Event()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{file} is locked by another process") from None
            pause.wait(_LOOK_EVERY_S)
        else:
            return
