"""What a process does with the order that it was started for.

    python -m sagelet.worker.child ORDER_FD FD…     started cold; the order is JSON at ORDER_FD

The zygote's forks come in by `become`. From there on warm and cold are the same code.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

from sagelet.worker import fresh, leaving, libc, placing
from sagelet.worker.host import run_host
from sagelet.worker.settling import settle
from sagelet.worker.spec import HostOrder, Order, ServeOrder, order_from_json

_NOTHING: Mapping[str, str] = MappingProxyType({})


def become(
    order: Order, fds: Sequence[int], set_by_imports: Mapping[str, str] = _NOTHING
) -> NoReturn:
    """Carry out an order in this process, which has been made for it, and end the process.

    `fds` are the descriptors that the order's kind comes with; `set_by_imports` are environment
    variables that the modules which are already imported set when they were.
    """
    fresh.session()
    fresh.signals()
    if isinstance(order, HostOrder):
        fresh.standard_streams()
        os._exit(run_host(order, set_by_imports))
    leaving.leave(_serve(order, fds, set_by_imports))


def _serve(order: ServeOrder, fds: Sequence[int], set_by_imports: Mapping[str, str]) -> int:
    channel, stdout, stderr = fds
    fresh.standard_streams(stdout, stderr)
    for descriptor in {stdout, stderr}:  # which may be one and the same
        os.close(descriptor)
    placed, why_not = placing.place(order)
    fresh.text_streams(placed.environment)
    settle(placed, why_not, set_by_imports)
    from sagelet.worker.serving.loop import serve

    sock = socket.socket(fileno=channel)
    # A fork of a handler's that comes back to us must not answer, nor keep the line open for us.
    os.register_at_fork(after_in_child=sock.close)
    return serve(placed, sock)


def main(arguments: Sequence[str]) -> NoReturn:
    """Start cold: read the order, and carry it out."""
    fresh.forget_the_start()
    order_fd, *fds = map(int, arguments)
    with os.fdopen(order_fd, encoding="utf-8") as file:
        order = order_from_json(file.read())
    if isinstance(order, ServeOrder):
        libc.die_with(os.getppid())
    become(order, fds)


if __name__ == "__main__":
    main(sys.argv[1:])
