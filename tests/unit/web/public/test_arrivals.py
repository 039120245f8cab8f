"""Whose address counts: the peer's, or the one that a named proxy tells of."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from sagelet.errors import InvalidRequest
from sagelet.web.public.arrivals import Arrival, Proxies, bucket_of, network_of

PROXIES = Proxies(
    [network_of("10.0.0.0/24"), network_of("2001:db8:1::/48"), network_of("127.0.0.1")]
)


def headers(*fields: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in fields])


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("203.0.113.7", ["1.1.1.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["1.1.1.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, _hidden, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1:4711"], "1.1.1.1"),
        ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        ("::ffff:10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        ("2001:db8:1::5", ["1.1.1.1"], "1.1.1.1"),
        ("127.0.0.1", ["::ffff:1.1.1.1"], "1.1.1.1"),
        ("127.0.0.2", ["1.1.1.1"], "127.0.0.2"),
        ("", ["1.1.1.1"], ""),
    ],
)
def test_the_rightmost_address_that_is_no_proxys_is_the_client(
    peer: str, told: list[str], client: str
) -> None:
    fields = headers(*(("x-forwarded-for", each) for each in told))
    assert PROXIES.arrival(peer, fields).client == client


@pytest.mark.parametrize(
    ("host", "proto", "base"),
    [
        ("models.example.com", "https", "https://models.example.com"),
        ("Models.Example.com:8443", "HTTPS", "https://models.example.com:8443"),
        ("[2001:db8::1]:80", "http", "http://[2001:db8::1]:80"),
        ("evil.example, models.example.com", "http, https", "https://models.example.com"),
        ("models.example.com", "", ""),
        ("models.example.com", "javascript", ""),
        ('x"><script>', "https", ""),
        ("a/b", "https", ""),
        ("user@host", "https", ""),
        ("", "https", ""),
    ],
)
def test_the_address_that_was_asked_for_is_the_one_the_last_proxy_tells(
    host: str, proto: str, base: str
) -> None:
    told = headers(("x-forwarded-host", host), ("x-forwarded-proto", proto))
    assert PROXIES.arrival("10.0.0.1", told).base == base
    assert PROXIES.arrival("203.0.113.7", told) == Arrival("203.0.113.7")


def test_without_a_scheme_it_is_plain() -> None:
    told = headers(("x-forwarded-host", "models.example.com"))
    assert PROXIES.arrival("10.0.0.1", told).base == "http://models.example.com"


@pytest.mark.parametrize(
    "text", ["", "proxy", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.1/x", "1.2.3"]
)
def test_what_is_no_proxys_network_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        network_of(text)


def test_a_client_has_a_whole_network_of_the_long_addresses() -> None:
    assert bucket_of("203.0.113.7") == "203.0.113.7"
    assert bucket_of("2001:db8::1") == bucket_of("2001:db8::ffff") != bucket_of("2001:db8:0:1::1")
    assert bucket_of("nobody") == "nobody"
