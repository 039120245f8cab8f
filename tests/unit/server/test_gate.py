from __future__ import annotations

import pytest

from sagelet.server.gate import Gate, Refused
from sagelet.wire.messages import Headers


def refusal(*headers: tuple[str, str], allowed: frozenset[str] = frozenset()) -> int | None:
    try:
        Gate(allowed_hosts=allowed).check(Headers(headers))
    except Refused as refused:
        return refused.status
    return None


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7543", "localhost:7543", "LOCALHOST", "[::1]:7543", "[::1]", "127.0.0.1"]
)
def test_loopback_names_may_enter(host: str) -> None:
    assert refusal(("host", host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.com:7543",
        "127.0.0.1.evil.com",
        "127.0.0.1.evil.com:7543",
        "localhost.:7543",
        "0.0.0.0:7543",
        "127.0.0.1:7543.evil.com",
        "127.0.0.1:",
        "[::1%25lo]:7543",
        "user@127.0.0.1:7543",
        "",
        "127.0.0.1:\uff17\uff15\uff14\uff13",
    ],
)
def test_any_other_host_is_misdirected(host: str) -> None:
    assert refusal(("host", host)) == 421


def test_a_missing_host_is_misdirected() -> None:
    assert refusal() == 421


def test_two_hosts_are_misdirected() -> None:
    assert refusal(("host", "127.0.0.1"), ("host", "127.0.0.1")) == 421


def test_a_host_that_the_owner_allowed_may_enter() -> None:
    allowed = frozenset({"host.docker.internal"})
    assert refusal(("host", "host.docker.internal:7543"), allowed=allowed) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_a_request_that_a_foreign_page_caused_is_refused(site: str) -> None:
    assert refusal(("host", "127.0.0.1"), ("sec-fetch-site", site)) == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_request_of_our_own_page_may_enter(site: str) -> None:
    assert refusal(("host", "127.0.0.1"), ("sec-fetch-site", site)) is None


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.com",
        "https://127.0.0.1:7543",
        "http://127.0.0.1:1",
        "http://127.0.0.1:7543.evil.com",
        "http://[",
    ],
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert refusal(("host", "127.0.0.1:7543"), ("origin", origin)) == 403


def test_our_own_origin_may_enter() -> None:
    assert refusal(("host", "127.0.0.1:7543"), ("origin", "http://127.0.0.1:7543")) is None


def test_too_many_headers_are_refused() -> None:
    many = [("host", "127.0.0.1"), *((f"x-{n}", "") for n in range(100))]
    assert refusal(*many) == 431
