"""A worker on a person's terminal, so that breakpoint() works in a handler.

    python -m sagelet.worker.debugging [--debugpy PORT [--wait]] ORDER_FD CHANNEL STDOUT STDERR

It does what a worker that is started cold does, but keeps the terminal: its session, its standard
input, and its output, which the log does not get. `sagelet dev --debug` starts it.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

from sagelet.worker import fresh, libc, placing
from sagelet.worker.settling import settle
from sagelet.worker.spec import ServeOrder, order_from_json

_KEPT = ("TERM", "COLUMNS", "LINES", "INPUTRC", "PYTHONBREAKPOINT")
_LOOPBACK = "127.0.0.1"
_TRIED_PORTS = 10


def main(arguments: Sequence[str]) -> NoReturn:
    """Read the order, and carry it out on this terminal."""
    fresh.forget_the_start()
    words = list(arguments)
    port = int(words.pop(1)) if words[0] == "--debugpy" else 0
    words = words[1:] if port else words
    wait = words[0] == "--wait"
    order_fd, channel, *output = map(int, words[1:] if wait else words)
    for descriptor in output:  # the terminal has its place
        os.close(descriptor)
    with os.fdopen(order_fd, encoding="utf-8") as file:
        order = order_from_json(file.read())
    if not isinstance(order, ServeOrder):
        sys.exit("an order that is not to serve")
    libc.die_with(os.getppid())
    # Whoever started us hears Ctrl-C too, and ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(_serve(order, channel, port, wait=wait))


def _serve(order: ServeOrder, channel: int, port: int, *, wait: bool) -> int:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    placed, why_not = placing.place(order)
    placed = replace(placed, environment={**kept, **placed.environment})
    settle(placed, why_not, {})
    if port:
        _listen(port, wait=wait)
    elif "PYTHONBREAKPOINT" not in os.environ:
        sys.breakpointhook = _stop
    from sagelet.worker.serving.loop import serve

    return serve(placed, socket.socket(fileno=channel))


def _stop(*_args: object, **_options: object) -> None:
    """Start pdb at the line that follows breakpoint(); Ctrl-C stays with who started us."""
    import pdb

    pdb.Pdb(nosigint=True).set_trace(sys._getframe(1))


def _listen(port: int, *, wait: bool) -> None:
    """Let a debugger attach; `wait` until one has."""
    module: Any = importlib.import_module("debugpy")
    host, taken = _opened(module, port)
    sys.stderr.write(f"debugpy listens at {host}:{taken}\n")
    if wait:
        sys.stderr.write("waiting for a debugger to attach\n")
        module.wait_for_client()


def _opened(module: Any, port: int, tries: int = _TRIED_PORTS) -> Any:  # noqa: ANN401 - untyped
    """Listen at the port, or at the next: the worker before this one may still have it."""
    try:
        return module.listen((_LOOPBACK, port))
    except (OSError, RuntimeError):
        if tries == 1:
            raise
    return _opened(module, port + 1, tries - 1)


if __name__ == "__main__":
    main(sys.argv[1:])
