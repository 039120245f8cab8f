"""Signing in to the web app, and what those who did not may see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sagelet.domain.clock import SystemClock
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.local_api import LocalApi
from sagelet.errors import RemoteRefused
from tests.door_rig import Door, a_door
from tests.signed_requests import KEY, REGION, SECRET
from tests.web_bench import WebBench, a_web_bench


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


def an_api(door: Door, secret: str = SECRET) -> LocalApi:
    return LocalApi(f"http://127.0.0.1:{door.port}", LocalCredentials(KEY, secret), REGION)


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


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nx: y", ""]
)
async def test_signing_in_leads_nowhere_else(web: WebBench, wanted: str) -> None:
    token = web.app.site.access.one_time_tokens.issue()
    back = await web.visitor.post("/login", data={"token": token, "next": wanted})
    assert back.headers["location"] == "/"


async def test_signing_out_needs_the_forms_token_and_ends_the_session(web: WebBench) -> None:
    assert (await web.owner.post("/logout")).status_code == 403
    assert (await web.owner.get("/")).status_code == 200
    assert (await web.owner.post("/logout", data={"csrf": web.csrf})).status_code == 303
    assert (await web.owner.get("/")).status_code == 303
