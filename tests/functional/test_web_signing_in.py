"""Signing in to the web app, and what those who did not may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.web.access.sessions import COOKIE
from tests.web_bench import WebBench, a_web_bench


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


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
    assert cookie.startswith(f"{COOKIE}=")
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
