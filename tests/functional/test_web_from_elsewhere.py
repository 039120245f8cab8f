"""What other sites make browsers send, and other programs: raw bytes at the daemon's own port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from sagelet.domain.clock import SystemClock
from tests.door_rig import Door, a_door
from tests.signed_requests import KEY, REGION, SECRET, raw

LINK = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))
CROSS = ("Sec-Fetch-Site", "cross-site")
PREDICT = "/api/v1/predict/sentiment"
EVENTS = "/api/v1/events?topics=endpoints"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


async def asked(
    door: Door,
    path: str,
    *fields: tuple[str, str],
    method: str = "GET",
    hosts: tuple[str, ...] | None = None,
    body: bytes = b"",
) -> tuple[int, bytes]:
    """Return the status and all that came."""
    mine = (f"127.0.0.1:{door.port}",) if hosts is None else hosts
    length = [("Content-Length", str(len(body)))] if body else []
    head = [*(("Host", host) for host in mine), *fields, *length]
    answer = await door.exchange(raw(path, head, body, method=method))
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("path", ["/", "/login", "/static/app.css", "/keys", "/api/v1/keys"])
async def test_only_loopbacks_names_are_answered(door: Door, path: str) -> None:
    port = door.port
    for host in (
        "evil.com",
        f"evil.com:{port}",
        f"127.0.0.1.evil.com:{port}",
        f"localhost.:{port}",
        f"0.0.0.0:{port}",
        f"[::1%25lo]:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"127.1:{port}",
        f"2130706433:{port}",
        f"user@127.0.0.1:{port}",
        "",
    ):
        assert (await asked(door, path, hosts=(host,)))[0] == 421, host
    mine = f"127.0.0.1:{port}"
    for hosts in ((), (mine, mine), (mine, "evil.com")):
        # Some of these the parser of HTTP refuses before the gate does.
        assert (await asked(door, path, hosts=hosts))[0] in (400, 421), hosts
    for host in (mine, f"localhost:{port}", f"[::1]:{port}"):
        assert (await asked(door, path, hosts=(host,)))[0] in (200, 303, 401), host


async def test_an_address_in_the_request_line_changes_no_host(door: Door) -> None:
    status, _ = await asked(door, "http://evil.com/login", hosts=("evil.com",))
    assert status in (400, 421)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_leads_to_a_page_and_a_visitor_to_signing_in(door: Door, site: str) -> None:
    link = (("Sec-Fetch-Site", site), *LINK)
    status, answer = await asked(door, "/keys?a=b", *link)
    assert status == 303
    assert b"location: /login?next=/keys%3Fa%3Db\r\n" in answer
    assert (await asked(door, "/login", *link))[0] == 200
    assert (await asked(door, "/", *link))[0] == 303


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/static/app.css"),
        ("GET", "/api/v1/keys"),
        ("GET", EVENTS),
        ("GET", "/api/v1/endpoints/sentiment/openapi.json"),
        ("POST", PREDICT),
        ("OPTIONS", "/api/v1/keys"),
        ("GET", "/healthz"),
        ("GET", "/endpoints/sentiment/invocations"),
        ("POST", "/endpoints/sentiment/invocations"),
        ("GET", "/bucket/key"),
        ("POST", "/"),
        ("POST", "/login"),
        ("POST", "/keys"),
        ("POST", "/logout"),
        ("HEAD", "/"),
        ("PUT", "/keys"),
    ],
)
async def test_a_link_leads_nowhere_else(door: Door, method: str, path: str) -> None:
    assert (await asked(door, path, CROSS, *LINK, method=method))[0] == 403


@pytest.mark.parametrize("path", ["/", "/login", "/keys", "/static/app.css", EVENTS, PREDICT])
@pytest.mark.parametrize(
    "fetch",
    [
        (),
        (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")),
        (("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "script")),
        (("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")),
        (("Accept", "text/event-stream"), ("Sec-Fetch-Mode", "cors")),
    ],
    ids=["bare", "frame", "script", "fetch", "stream"],
)
async def test_what_a_foreign_page_does_by_itself_is_refused(
    door: Door, path: str, fetch: tuple[tuple[str, str], ...]
) -> None:
    for site in ("cross-site", "same-site"):
        status, answer = await asked(door, path, ("Sec-Fetch-Site", site), *fetch)
        assert status == 403
        assert b"access-control-" not in answer


@pytest.mark.parametrize("origin", ["null", "http://evil.com", "https://127.0.0.1", "file://"])
async def test_a_foreign_origin_is_refused_wherever_it_asks(door: Door, origin: str) -> None:
    for method, path in (
        ("GET", "/"),
        ("POST", "/login"),
        ("POST", "/keys"),
        ("GET", "/static/app.css"),
        ("GET", "/api/v1/keys"),
        ("DELETE", "/api/v1/keys/abcdefgh"),
        ("POST", PREDICT),
        ("GET", "/api/v1/endpoints/sentiment/schema"),
        ("OPTIONS", PREDICT),
        ("OPTIONS", "/"),
    ):
        status, answer = await asked(door, path, ("Origin", origin), method=method)
        assert status == 403, (method, path)
        assert b"access-control-" not in answer


async def test_a_foreign_form_as_plain_text_is_refused(door: Door) -> None:
    body = b'{"name": "x", "ignored": "="}'
    plain = ("Content-Type", "text/plain")
    for path in ("/login", "/keys", "/api/v1/keys", "/api/v1/login-tokens"):
        status, _ = await asked(door, path, plain, method="POST", body=body)
        assert status in (401, 415), path
        status, _ = await asked(
            door, path, plain, ("Origin", "http://evil.com"), method="POST", body=body
        )
        assert status == 403, path


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "OPTIONS", "DELETE"])
async def test_a_method_that_no_page_has_is_refused_and_echoes_nothing(
    door: Door, method: str
) -> None:
    for path in ("/login", "/keys", "/static/app.css", "/api/v1/keys"):
        status, answer = await asked(door, path, ("X-Secret", "do-not-echo"), method=method)
        assert 400 <= status < 500, (path, status)
        assert b"do-not-echo" not in answer
        assert b"access-control-" not in answer


async def test_head_is_answered_like_get_without_a_body(door: Door) -> None:
    for path, wanted in (("/login", 200), ("/keys", 303), ("/static/app.css", 200)):
        status, answer = await asked(door, path, method="HEAD")
        assert status == wanted
        assert answer.endswith(b"\r\n\r\n")


async def test_a_browser_signs_in_by_bytes_and_its_cookie_is_for_it_alone(door: Door) -> None:
    status, answer = await asked(door, "/login", FORM, method="POST", body=b"token=wrong")
    assert status == 401
    assert b"set-cookie" not in answer


async def test_a_page_that_lies_in_a_bucket_has_no_part_in_ours(door: Door) -> None:
    door.bench.put_object("bucket", "page.html", b"<script>fetch('/keys')</script>")
    make: Any = boto3.client
    client = make(
        "s3",
        endpoint_url=f"http://127.0.0.1:{door.port}",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    )
    asked_for = {"Bucket": "bucket", "Key": "page.html", "ResponseContentType": "text/html"}
    at = urlsplit(client.generate_presigned_url("get_object", asked_for))
    status, answer = await asked(door, f"{at.path}?{at.query}")
    assert status == 200
    head = answer.partition(b"\r\n\r\n")[0]
    (policy,) = [line for line in head.split(b"\r\n") if b"content-security-policy" in line]
    assert b"sandbox" in policy
    assert b"allow-same-origin" not in policy


async def test_a_slash_too_many_or_a_dot_reaches_no_page(door: Door) -> None:
    for path in (
        "//evil.com/",
        "/./keys",
        "/../keys",
        "/keys/../static/app.css",
        "/KEYS",
        "/%6beys",
    ):
        status, answer = await asked(door, path)
        assert status >= 300, path
        assert b"location: //" not in answer


async def test_a_very_long_address_is_refused(door: Door) -> None:
    status, _ = await asked(door, "/keys?" + "x" * 70_000)
    assert status in (400, 414, 431)


async def test_what_the_gate_refuses_is_no_page_to_a_browser(door: Door) -> None:
    for fields, hosts in (((), ("<script>alert(1)</script>",)), ((CROSS,), None)):
        _, answer = await asked(door, "/", *fields, hosts=hosts)
        head = answer.partition(b"\r\n\r\n")[0]
        assert b"content-type: application/json" in head
        assert b"x-content-type-options: nosniff" in head
        assert b"content-security-policy: default-src 'none'" in head
