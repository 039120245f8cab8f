"""What every page and every call of the API has in common: who may not, and what is never said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagelet.server.web_door import takes_keys
from sagelet.web.middleware import SECURITY_HEADERS
from sagelet.wire.messages import Headers, RequestHead
from tests.web_bench import WebBench, a_web_bench
from tests.web_routes import Known, known_routes

# What anybody may ask, besides static files. A page that is not named here needs the owner.
OPEN = frozenset({"GET /login", "POST /login"})
# What an API key is good for.
KEYS_MAY = frozenset(
    {
        "POST /api/v1/predict/{endpoint}",
        "GET /api/v1/endpoints/{name}/schema",
        "GET /api/v1/endpoints/{name}/examples",
        "GET /api/v1/endpoints/{name}/openapi.json",
    }
)
NAMES: Mapping[str, str] = {
    "name": "sentiment",
    "endpoint": "sentiment",
    "id": "abcdefgh",
    "call": "01HZZZZZZZZZZZZZZZZZZZZZZZ",
    "slug": "sentiment",
    "file": "words.json",
}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        await bench.bench.create_endpoint("sentiment")
        await bench.bench.create_job("sentiment")
        yield bench


class _AnyName(dict[str, str]):
    """A name for each parameter that a route may come to have."""

    def __missing__(self, _parameter: str) -> str:
        return "sentiment"


def routes(web: WebBench, *, changing: bool | None = None) -> Sequence[Known]:
    found = known_routes(web.app.site)
    assert len(found) > 15
    return [each for each in found if changing is None or (each.method != "GET") is changing]


def path_of(route: Known, **names: str) -> str:
    return route.filled(_AnyName({**NAMES, **names}))


def state(web: WebBench, root: Path) -> tuple[Any, ...]:
    """All that a request could have changed."""
    with web.bench.store.reading() as snapshot:
        rows = list(snapshot.models._on.connection.iterdump())
    bench = web.bench
    asked = (len(bench.host.invocations), len(bench.runner.stopped), len(bench.runner.killed))
    return rows, asked, sorted((str(file), file.stat().st_size) for file in root.rglob("*"))


async def test_nothing_changes_without_the_sessions_own_token(
    web: WebBench, tmp_path: Path
) -> None:
    sessions = web.app.site.access.sessions
    another = sessions.find(sessions.begin())
    assert another is not None
    key = web.app.site.access.keys.create("a program", endpoints=("another",))[1]
    tries: dict[str, tuple[httpx.AsyncClient, dict[str, Any]]] = {
        "no token": (web.owner, {}),
        "another's token": (web.owner, {"headers": {"x-csrf-token": another.csrf}}),
        "another's token in a form": (web.owner, {"data": {"csrf": another.csrf}}),
        "a token that is not text": (web.owner, {"headers": {b"x-csrf-token": b"\xff"}}),
        "a file for a token": (web.owner, {"files": {"csrf": web.csrf.encode()}}),
        "a visitor": (web.visitor, {"headers": {"x-csrf-token": web.csrf}}),
        "an API key": (web.visitor, {"headers": {"x-api-key": key}}),
    }
    before = state(web, tmp_path)
    for route in routes(web, changing=True):
        if route.path.startswith("/p/"):
            continue  # for anybody: test_web_public tells on what terms
        for what, (client, members) in tries.items():
            answer = await client.request(route.method, path_of(route), **members)
            refused = (401, 415) if str(route) in OPEN else (401, 403)
            assert answer.status_code in refused, f"{route}, {what}: {answer.status_code}"
    await web.app.site.access.keys.settled()
    assert before == state(web, tmp_path) or _only_used(before, state(web, tmp_path))


def _only_used(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    """Say whether nothing but the key's last use has been written."""
    rows = [row for row in after[0] if "api_keys" not in row]
    return (rows, *after[1:]) == ([row for row in before[0] if "api_keys" not in row], *before[1:])


async def test_looking_at_anything_changes_nothing(web: WebBench, tmp_path: Path) -> None:
    before = state(web, tmp_path)
    for route in routes(web, changing=False):
        answer = await web.owner.get(path_of(route))
        assert answer.status_code < 500, f"{route}: {answer.text}"
        assert answer.status_code not in (401, 403), str(route)
    assert before == state(web, tmp_path)


async def test_a_visitor_sees_what_was_meant_for_anybody_and_no_more(web: WebBench) -> None:
    for route in routes(web, changing=False):
        if str(route) in OPEN or path_of(route).startswith("/p/"):
            continue
        answer = await web.visitor.get(path_of(route))
        if route.is_page:
            assert answer.status_code == 303, str(route)
            assert answer.headers["location"].startswith("/login?next=/") or path_of(route) == "/"
            assert answer.content == b""
        else:
            assert answer.status_code == 401, str(route)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_nobody_but_the_owner_learns_what_there_is(web: WebBench) -> None:
    key = web.app.site.access.keys.create("a program", endpoints=("another",))[1]
    for headers in ({}, {"x-api-key": key}):
        for route in routes(web):
            if str(route) in OPEN or "{" not in route.path:
                continue
            told = [
                _told(
                    await web.visitor.request(
                        route.method, path_of(route, name=name, endpoint=name), headers=headers
                    ),
                    name,
                )
                for name in ("sentiment", "not-there")
            ]
            assert told[0] == told[1], str(route)


def _told(answer: httpx.Response, name: str) -> tuple[Any, ...]:
    headers = {
        field: value.replace(name, "NAME")
        for field, value in answer.headers.items()
        if field not in ("content-length", "x-request-id")
    }
    document = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
    document.pop("request_id", None)
    return answer.status_code, headers, str(document).replace(name, "NAME")


async def test_a_key_is_good_for_what_is_named_here_and_nothing_else(web: WebBench) -> None:
    key = web.app.site.access.keys.create("a program")[1]
    may = set()
    for route in routes(web):
        if route.is_page:
            continue
        answer = await web.visitor.request(
            route.method, path_of(route), content=b"{}", headers={"x-api-key": key}
        )
        assert answer.status_code != 401, str(route)
        if answer.status_code != 403:
            may.add(str(route))
        # Where pages of other sites may ask, the gate has to leave them to the app.
        head = RequestHead(route.method, path_of(route), "", Headers([]))
        assert takes_keys(head) is (str(route) in KEYS_MAY), str(route)
    assert may == KEYS_MAY


async def test_every_answer_has_the_headers_that_bind_a_browser(web: WebBench) -> None:
    answers = [
        await client.request(method, path_of(route))
        for route in routes(web)
        for client in (web.owner, web.visitor)
        for method in (route.method, "OPTIONS", "PUT")
    ]
    answers += [
        await web.owner.get(path)
        for path in (
            "/static/app.css",
            "/static/nothing",
            "/nowhere",
            "/endpoints/%00",
            "/keys/x/y",
        )
    ]
    for answer in answers:
        what = f"{answer.request.method} {answer.request.url}: {answer.status_code}"
        for name, value in SECURITY_HEADERS.items():
            given = answer.headers.get(name)
            # An answer may be bound more tightly than all are.
            tighter = name == "content-security-policy" and "default-src 'none'" in (given or "")
            assert given == value or tighter, f"{what}: {name}"
        assert "access-control-allow-origin" not in answer.headers, what
        assert "server" not in answer.headers, what
        is_file = answer.request.url.path.startswith("/static/") and answer.status_code == 200
        assert answer.headers["cache-control"] == ("no-cache" if is_file else "no-store"), what


async def test_a_static_file_is_kept_only_under_its_hash(web: WebBench) -> None:
    hashed = web.app.site.rendering.static("app.css")
    assert "immutable" in (await web.visitor.get(hashed)).headers["cache-control"]


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    for rule in (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ):
        assert rule in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path",
    [
        "/endpoints/..%2fkeys",
        "/endpoints/..%2f..%2fetc%2fpasswd",
        "/endpoints/%2e%2e",
        "/endpoints/%00",
        "/endpoints/a%5c..%5cb",
        "/endpoints/%ff%fe",
        "/endpoints/a_b",
        "/endpoints/" + "x" * 8000,
        "/endpoints/%0d%0ax:y",
        "/keys/%2e%2e/revoke",
        "/keys/%00/revoke",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/..%5capp.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/app.css%00",
        "/static/",
        "/static",
        "/static/css",
        "/static/" + "x" * 5000,
        "/jobs/..%2f..%2f",
        "/models/%00",
        "/p/..%2fkeys",
    ],
)
async def test_a_path_of_tricks_leads_nowhere(web: WebBench, path: str) -> None:
    for client in (web.owner, web.visitor):
        answer = await client.get(path)
        assert answer.status_code in (303, 307, 400, 404), answer.text
        assert "root:" not in answer.text
        assert "WebApp" not in answer.text
        assert "Traceback" not in answer.text


async def test_a_method_that_there_is_not_is_answered_with_those_there_are(web: WebBench) -> None:
    for path in ("/jobs", "/api/v1/jobs"):
        answer = await web.owner.delete(path, headers={"x-csrf-token": web.csrf})
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]
