from __future__ import annotations

import os
import socket

import pytest

from sagelet.errors import PortTaken
from sagelet.server.listening import address_of, listen
from sagelet.server.settings import DEFAULT_PORT


def closing(sockets: list[socket.socket]) -> None:
    for bound in sockets:
        bound.close()


def test_only_loopback_is_bound() -> None:
    sockets = listen(0)
    assert {bound.getsockname()[0] for bound in sockets} <= {"127.0.0.1", "::1"}
    assert len({bound.getsockname()[1] for bound in sockets}) == 1
    assert address_of(sockets) == f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    closing(sockets)


def test_a_port_that_was_asked_for_and_is_taken_names_its_owner() -> None:
    sockets = listen(0)
    port = sockets[0].getsockname()[1]
    with pytest.raises(PortTaken, match=rf"port {port} is used by pid {os.getpid()}"):
        listen(port)
    closing(sockets)


def test_the_next_port_is_taken_where_the_default_one_is_in_use() -> None:
    first, second = listen(None), listen(None)
    ports = [sockets[0].getsockname()[1] for sockets in (first, second)]
    assert ports[0] >= DEFAULT_PORT
    assert ports[1] > ports[0]
    closing(first)
    closing(second)
