"""Signing in to the web app, and what those who did not may see."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sagelet.domain.clock import SystemClock
from sagelet.errors import RemoteRefused
from tests.door_rig import Door, a_door, an_api
from tests.web_bench import WebBench, a_web_bench


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


async def test_whoever_has_the_homes_key_gets_what_signs_a_browser_in(door: Door) -> None:
    login = await asyncio.to_thread(an_api(door).login, "/jobs?status=Failed")
    assert login["expires_in_s"] == 60
    at = urlsplit(login["url"])
    assert (at.path, at.query) == ("/login", "next=/jobs%3Fstatus%3DFailed")
    assert at.fragment == f"t={login['token']}"
    form = f"token={login['token']}&next=%2Fjobs".encode()
    answer = await door.exchange(
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(form), form)
    )
    assert answer.startswith(b"HTTP/1.1 303")
    assert b"location: /jobs\r\n" in answer


async def test_a_wrong_key_gets_no_token(door: Door) -> None:
    with pytest.raises(RemoteRefused) as refused:
        await asyncio.to_thread(an_api(door, "another").login, "/")
    assert refused.value.status == 400


async def test_only_a_signature_gets_a_token(web: WebBench) -> None:
    csrf = {"x-csrf-token": web.csrf}
    assert (await web.visitor.post("/api/v1/login-tokens")).status_code == 401
    assert (await web.owner.post("/api/v1/login-tokens")).status_code == 403
    assert (await web.owner.post("/api/v1/login-tokens", headers=csrf)).status_code == 403


async def test_a_visitor_is_sent_to_sign_in_and_then_where_they_wanted_to_go(web: WebBench) -> None:
    sent = await web.visitor.get("/jobs?status=Failed")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        "/login?next=/jobs%3Fstatus%3DFailed",
    )
    token = web.app.site.access.one_time_tokens.issue()
    back = await web.visitor.post("/login", data={"token": token, "next": "/jobs?status=Failed"})
    assert (back.status_code, back.headers["location"]) == (303, "/jobs?status=Failed")
    cookie = back.headers["set-cookie"]
    assert cookie.startswith("sagelet_session_7543=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert (await web.visitor.get("/")).status_code == 200


async def test_a_token_signs_in_once(web: WebBench) -> None:
    token = web.app.site.access.one_time_tokens.issue()
    first = await web.visitor.post("/login", data={"token": token})
    web.visitor.cookies.clear()
    second = await web.visitor.post("/login", data={"token": token})
    assert (first.status_code, second.status_code) == (303, 401)
    assert "set-cookie" not in second.headers


async def test_signing_out_needs_the_forms_token_and_ends_the_session(web: WebBench) -> None:
    assert (await web.owner.post("/logout")).status_code == 403
    assert (await web.owner.get("/")).status_code == 200
    assert (await web.owner.post("/logout", data={"csrf": web.csrf})).status_code == 303
    assert (await web.owner.get("/")).status_code == 303


async def test_a_session_that_was_planted_is_not_taken(web: WebBench) -> None:
    access = web.app.site.access
    web.visitor.cookies.set(access.cookie, "planted")
    token = access.one_time_tokens.issue()
    answer = await web.visitor.post("/login", data={"token": token})
    assert answer.status_code == 303
    assert answer.cookies[access.cookie] != "planted"
    assert access.sessions.find("planted") is None
    web.visitor.cookies.clear()
    web.visitor.cookies.set(access.cookie, "planted")
    assert (await web.visitor.get("/")).status_code == 303


async def test_signing_in_again_keeps_the_session_for_the_pages_that_are_open(
    web: WebBench,
) -> None:
    token = web.app.site.access.one_time_tokens.issue()
    assert (await web.owner.post("/login", data={"token": token})).status_code == 303
    assert (await web.owner.post("/logout", data={"csrf": web.csrf})).status_code == 303


async def test_two_daemons_of_one_host_have_cookies_of_their_own(web: WebBench) -> None:
    assert web.app.site.access.cookie == "sagelet_session_7543"
    other = {"sagelet_session_7544": web.owner.cookies["sagelet_session_7543"]}
    web.visitor.cookies.update(other)
    assert (await web.visitor.get("/")).status_code == 303


async def test_a_session_ends_after_a_week(web: WebBench) -> None:
    web.bench.clock.move(7 * 24 * 3600 - 1)
    assert (await web.owner.get("/")).status_code == 200
    web.bench.clock.move(1)
    assert (await web.owner.get("/")).status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/a\r\nset-cookie: x=y",
        "/login?next=/login",
        "/logout",
        " /x",
        "",
        "/" + "x" * 5000,
    ],
)
async def test_no_next_leads_elsewhere(web: WebBench, wanted: str) -> None:
    token = web.app.site.access.one_time_tokens.issue()
    shown = await web.visitor.get("/login", params={"next": wanted})
    assert '<input type="hidden" name="next" value="/">' in shown.text
    done = await web.visitor.post("/login", data={"token": token, "next": wanted})
    assert done.headers["location"] == "/"
    assert [*done.headers].count("set-cookie") == 1


async def test_a_next_of_ours_is_escaped(web: WebBench) -> None:
    shown = await web.visitor.get("/login", params={"next": '/x?"><script>alert(1)</script>'})
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;alert(1)" in shown.text


async def test_no_token_and_no_key_is_ever_written_down(
    web: WebBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    access = web.app.site.access
    token, key = access.one_time_tokens.issue(), access.keys.create("a program")[1]
    signed_in = await web.visitor.post("/login", data={"token": token, "next": "/keys"})
    cookie = signed_in.cookies[access.cookie]
    page = await web.visitor.get("/keys")
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        await web.visitor.post("/api/v1/predict/sentiment", content=b"{}", headers=headers)
        await web.visitor.post(
            "/api/v1/predict/sentiment", headers={name: each[:-1] for name, each in headers.items()}
        )
    for secret in (token, key, key.rpartition("_")[2], cookie):
        assert secret not in signed_in.headers["location"]
        assert secret not in page.text
        assert not [line for line in caplog.messages if secret in line]


async def test_the_form_that_anybody_may_send_is_small_and_plain(web: WebBench) -> None:
    token = web.app.site.access.one_time_tokens.issue()
    for media_type in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        answer = await web.visitor.post(
            "/login", content=f"token={token}", headers={"content-type": media_type}
        )
        assert answer.status_code == 415
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body, status in ((b"x" * 10_001, 413), (b"a=b&" * 20, 400), (b"token=\xff", 400)):
        answer = await web.visitor.post("/login", content=body, headers=form)
        assert answer.status_code == status
    assert (await web.visitor.post("/login", data={"token": token})).status_code == 303
