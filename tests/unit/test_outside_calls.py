from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest


def test_a_test_cannot_reach_another_machine() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="tried to reach"):
        sock.connect(("192.0.2.1", 80))


def test_a_test_cannot_look_up_a_name() -> None:
    with pytest.raises(RuntimeError, match="tried to look up"):
        socket.getaddrinfo("sts.us-east-1.amazonaws.com", 443)


def test_a_test_may_use_loopback() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_a_test_has_a_home_of_its_own(home_path: Path) -> None:
    assert os.environ["SAGELET_HOME"] == str(home_path)
    assert not home_path.exists()
