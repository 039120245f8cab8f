"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import os
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from sagelet.cli.dev.messages import Messages, Pressed


def can_listen() -> bool:
    """Tell whether a person is there to press keys."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextmanager
def listening(messages: Messages) -> Iterator[None]:
    """Put each key that is pressed into the queue; afterwards the terminal is as it was."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    # Not raw: Ctrl-C and Ctrl-Z go on to mean what they do, and output keeps its line ends.
    tty.setcbreak(descriptor)
    threading.Thread(target=_read, args=(descriptor, messages), daemon=True).start()
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _read(descriptor: int, messages: Messages) -> None:
    while True:
        try:
            key = os.read(descriptor, 1)
        except OSError:
            return  # the terminal has gone
        if not key:
            return
        messages.put(Pressed(key.decode("latin-1")))
