"""Where the public listener may be, and how it is told."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from sagelet.errors import InvalidRequest
from sagelet.server.public_listener import CONNECTIONS, CONNECTIONS_EACH, Guests
from sagelet.web.public.assets import needed
from sagelet.web.public.door import Listening, wanted_of

AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("192.168.1.5:8080", "192.168.1.5", 8080),
        ("0.0.0.0:8080", "0.0.0.0", 8080),
        ("[::1]:8080", "::1", 8080),
        ("localhost:8080", "127.0.0.1", 8080),
        ("127.0.0.1:0", "127.0.0.1", 0),
    ],
)
def test_an_address_and_a_port_are_read(address: str, host: str, port: int) -> None:
    wanted = wanted_of(address)
    assert (wanted.host, wanted.port) == (host, port)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "8080",
        ":8080",
        "example.com:8080",
        "1.2.3.4",
        "1.2.3.4:x",
        "1.2.3:80800",
        "1.2.3.4:70000",
        "999.1.1.1:8080",
        "[::x]:8080",
        "127.0.0.1:8080/p",
        "user@127.0.0.1:8080",
    ],
)
def test_what_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest):
        wanted_of(address)


@pytest.mark.parametrize("port", [1, 80, 443, 1023])
def test_privileged_ports_are_a_proxys(port: int) -> None:
    with pytest.raises(InvalidRequest, match="proxy"):
        wanted_of(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    "url",
    ["models.example.com", "ftp://x", "https://", "https://a/b", "https://a b", "https://<x>"],
)
def test_a_public_address_is_a_site(url: str) -> None:
    with pytest.raises(InvalidRequest):
        wanted_of("127.0.0.1:8080", (), url)


def test_others_are_given_the_address_that_they_can_go_to() -> None:
    def base(host: str, url: str = "") -> str:
        return Listening(host, 8080, (), url, AT).base

    assert base("192.168.1.5") == "http://192.168.1.5:8080"
    assert base("2001:db8::1") == "http://[2001:db8::1]:8080"
    assert base("0.0.0.0") == f"http://{socket.gethostname()}:8080"
    assert base("127.0.0.1", "https://models.example.com") == "https://models.example.com"


def test_so_many_connections_are_let_in_and_a_proxy_has_those_of_many() -> None:
    guests = Guests(lambda address: address == "10.0.0.1")
    assert [guests.admit("1.1.1.1") for _ in range(CONNECTIONS_EACH + 1)].count(False) == 1
    assert guests.admit("2.2.2.2")
    guests.leave("1.1.1.1")
    assert guests.admit("1.1.1.1")
    assert [guests.admit("10.0.0.1") for _ in range(CONNECTIONS)].count(True) == (
        CONNECTIONS - CONNECTIONS_EACH - 1
    )
    assert not guests.admit("3.3.3.3")


def test_only_the_files_of_the_page_are_given_out() -> None:
    files = needed()
    assert {"app.css", "run-panel.js", "kept-key.js", "announce.js", "payload-form.js"} <= files
    assert not files & {"login.js", "log-tail.js", "metric-chart.js"}
    assert not any(name.startswith("vendor/") for name in files)
