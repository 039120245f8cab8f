"""Ports that jobs agree on, with each other and with everybody else on the machine."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path

import pytest

from sagelet.errors import PortTaken
from sagelet.training import ports
from sagelet.training.ports import PortLock, reserve

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is only locked")


def test_two_jobs_never_get_the_same_port(tmp_path: Path) -> None:
    reserved = [reserve(tmp_path, f"job-{number}") for number in range(20)]

    assert len({each.port for each in reserved}) == 20
    for each in reserved:
        each.close()


@LINUX
def test_jobs_of_two_homes_do_not_get_the_same_port_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "LAST", ports.FIRST + 1)
    first, second = reserve(tmp_path / "a", "one"), reserve(tmp_path / "b", "two")

    assert {first.port, second.port} == {ports.FIRST, ports.FIRST + 1}
    with pytest.raises(PortTaken):
        reserve(tmp_path / "c", "three")
    first.close()
    third = reserve(tmp_path / "c", "three")
    assert third.port == first.port
    second.close()
    third.close()


def test_a_port_that_somebody_listens_on_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "FIRST", port)
        monkeypatch.setattr(ports, "LAST", port)
        with pytest.raises(PortTaken):
            reserve(tmp_path, "one")
    reserve(tmp_path, "one").close()


@LINUX
def test_a_reserved_port_is_for_servers_that_share_addresses_only(tmp_path: Path) -> None:
    reserved = reserve(tmp_path, "one")
    with socket.socket() as stranger, pytest.raises(OSError) as refused:  # noqa: PT011 - by its errno
        stranger.bind(("", reserved.port))
    assert refused.value.errno == errno.EADDRINUSE

    # As torch's store does, on both families at once.
    with socket.create_server(("", reserved.port), reuse_port=False) as store:
        with socket.create_connection(("127.0.0.1", reserved.port)) as client:
            assert client.getpeername() == ("127.0.0.1", reserved.port)
        assert store.getsockname()[1] == reserved.port
    reserved.close()


def test_a_lock_tells_who_has_it(tmp_path: Path) -> None:
    first, second = PortLock(tmp_path, 7777), PortLock(tmp_path, 7777)

    assert first.try_take("a-long-name")
    assert not second.try_take("b")
    assert second.holder == "a-long-name"
    first.close()
    assert second.try_take("b")
    assert second.holder == "b"
    second.close()
