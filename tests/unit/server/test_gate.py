from __future__ import annotations

import pytest

from sagelet.server.gate import Gate, Refused
from sagelet.wire.messages import Headers


def refusal(
    *headers: tuple[str, str],
    allowed: frozenset[str] = frozenset(),
    shows_page: bool = False,
    takes_keys: bool = False,
) -> int | None:
    try:
        Gate(allowed_hosts=allowed).check(
            Headers(headers), shows_page=shows_page, takes_keys=takes_keys
        )
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


def test_the_second_of_two_origins_is_looked_at_too() -> None:
    ours = ("origin", "http://127.0.0.1:7543")
    assert refusal(("host", "127.0.0.1:7543"), ours, ("origin", "http://evil.com")) == 403
    assert refusal(("host", "127.0.0.1"), ("sec-fetch-site", "none"), *SITE) == 403


SITE = (("sec-fetch-site", "cross-site"),)
LINK = (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_of_another_site_leads_to_a_page(site: str) -> None:
    link = (("host", "127.0.0.1"), ("sec-fetch-site", site), *LINK)
    assert refusal(*link, shows_page=True) is None
    assert refusal(*link) == 403


@pytest.mark.parametrize(
    "fetch",
    [
        (),
        LINK[:1],
        LINK[1:],
        (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")),
        (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "frame")),
        (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "object")),
        (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "embed")),
        (("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "document")),
        (("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")),
        (*LINK, ("sec-fetch-dest", "iframe")),
        (*LINK, ("origin", "http://evil.com")),
        (*LINK, ("origin", "null")),
    ],
)
def test_nothing_but_a_link_leads_to_a_page(fetch: tuple[tuple[str, str], ...]) -> None:
    assert refusal(("host", "127.0.0.1"), *SITE, *fetch, shows_page=True) == 403


def test_a_link_with_a_foreign_host_leads_nowhere() -> None:
    assert refusal(("host", "evil.com"), *SITE, *LINK, shows_page=True) == 421


def test_where_keys_are_taken_one_foreign_origin_is_left_to_the_web_app() -> None:
    foreign = (("host", "127.0.0.1"), *SITE, ("origin", "http://evil.com"))
    assert refusal(*foreign, takes_keys=True) is None
    assert refusal(*foreign, ("origin", "http://evil.com"), takes_keys=True) == 403
    assert refusal(("host", "127.0.0.1"), *SITE, takes_keys=True) == 403
    assert refusal(("host", "evil.com"), *foreign[1:], takes_keys=True) == 421


def test_too_many_headers_are_refused() -> None:
    many = [("host", "127.0.0.1"), *((f"x-{n}", "") for n in range(100))]
    assert refusal(*many) == 431
