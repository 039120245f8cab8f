"""API keys: made and revoked by their owner on a page or by the API, used by programs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagelet.web.access.api_keys import ApiKeys
from tests.fakes import HeldClock
from tests.web_bench import WebBench, a_web_bench

PREDICT = "/api/v1/predict/sentiment"
DAY_S = 24 * 3600
SHOWN = re.compile(r'data-testid="new-key">(sgl_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{32})<')


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        await bench.bench.create_endpoint("sentiment")
        yield bench


async def created(web: WebBench, name: str = "a program", **members: Any) -> dict[str, Any]:  # noqa: ANN401  the document's
    answer = await web.owner.post(
        "/api/v1/keys", json={"name": name, **members}, headers={"x-csrf-token": web.csrf}
    )
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def asked(
    web: WebBench, key: str, path: str = PREDICT, *, method: str = "POST", **headers: str
) -> httpx.Response:
    given = {"authorization": f"Bearer {key}", **headers}
    return await web.visitor.request(method, path, content=b"{}", headers=given)


async def test_a_key_predicts_and_is_refused_from_the_moment_that_it_is_revoked(
    web: WebBench,
) -> None:
    key = await created(web)
    assert (await asked(web, key["key"])).status_code == 200
    by_header = {"x-api-key": key["key"]}
    assert (await web.visitor.post(PREDICT, content=b"{}", headers=by_header)).status_code == 200
    gone = await web.owner.delete(f"/api/v1/keys/{key['id']}", headers={"x-csrf-token": web.csrf})
    assert gone.status_code == 204
    refused = await asked(web, key["key"])
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["detail"] == "there is no such API key, or it was revoked"


async def test_a_key_is_good_for_its_endpoints_only(web: WebBench) -> None:
    await web.bench.ask("CreateEndpoint", EndpointName="other", EndpointConfigName="sentiment-1")
    key = await created(web, endpoints=["SENTIMENT"])
    assert key["endpoints"] == ["sentiment"]
    assert (await asked(web, key["key"])).status_code == 200
    for other in ("other", "not-there"):
        refused = await asked(web, key["key"], f"/api/v1/predict/{other}")
        assert refused.status_code == 403
        assert refused.json()["detail"] == f"this API key is not good for an endpoint {other}"


async def test_a_key_expires(web: WebBench) -> None:
    key = await created(web, expires_in_days=7)
    web.bench.clock.move(7 * DAY_S - 1)
    assert (await asked(web, key["key"])).status_code == 200
    web.bench.clock.move(1)
    refused = await asked(web, key["key"])
    assert refused.status_code == 401
    assert refused.json()["detail"] == f"the API key {key['prefix']} has expired"


async def test_whoever_asks_too_often_is_told_when_to_come_back(web: WebBench) -> None:
    key = await created(web, per_minute=2)
    statuses = [(await asked(web, key["key"])).status_code for _ in range(2)]
    refused = await asked(web, key["key"])
    assert (*statuses, refused.status_code) == (200, 200, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 30
    another = await created(web)
    assert (await asked(web, another["key"])).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/keys"),
        ("POST", "/api/v1/keys"),
        ("DELETE", "/api/v1/keys/abcdefgh"),
        ("POST", "/api/v1/login-tokens"),
        ("POST", "/api/v1/jobs/some/kill"),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/endpoints/sentiment"),
    ],
)
async def test_a_key_is_good_for_nothing_else(web: WebBench, method: str, path: str) -> None:
    key = await created(web)
    assert (await asked(web, key["key"], path, method=method)).status_code == 403


async def test_a_key_opens_no_page(web: WebBench) -> None:
    key = await created(web)
    sent = await asked(web, key["key"], "/keys", method="GET")
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/keys")
    assert (await asked(web, key["key"], "/keys")).status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "sgl_live_",
        f"sgl_live_abcdefgh_{'0' * 32}",
        f"sgl_live_abcdefgh_{'0' * 5000}",
        "sgl_live_\u00e9",
    ],
)
async def test_what_is_no_key_is_refused_even_where_a_browser_is_signed_in(
    web: WebBench, text: str
) -> None:
    given = {b"authorization": f"Bearer {text}".encode("latin-1")}
    for client in (web.owner, web.visitor):
        answer = await client.get("/api/v1/keys", headers=given)
        assert answer.status_code == 401


async def test_the_secret_part_decides(web: WebBench) -> None:
    key = (await created(web))["key"]
    assert (await asked(web, key[:-1] + ("a" if key[-1] != "a" else "b"))).status_code == 401


async def test_only_digests_are_kept(web: WebBench, tmp_path: Path) -> None:
    key = (await created(web))["key"]
    secret = key.rpartition("_")[2]
    listed = await web.owner.get("/api/v1/keys")
    assert secret not in listed.text
    assert secret not in (await web.owner.get("/keys")).text
    with web.bench.store.reading() as snapshot:
        kept = repr(snapshot.api_keys.all())
    assert secret not in kept
    assert key not in kept


async def test_the_last_use_is_written_once_a_minute_and_shown_at_once(web: WebBench) -> None:
    keys: ApiKeys = web.app.site.access.keys
    clock: HeldClock = web.bench.clock
    key = (await created(web))["key"]

    async def used_after(seconds: float) -> tuple[str, str]:
        clock.move(seconds)
        await asked(web, key)
        await keys.settled()
        with web.bench.store.reading() as snapshot:
            ((row, _),) = snapshot.api_keys.all()
        shown = (await web.owner.get("/api/v1/keys")).json()["keys"][0]["last_used_at"]
        assert row.last_used_at is not None
        return shown[11:19], f"{row.last_used_at:%H:%M:%S}"

    assert await used_after(0) == ("03:04:05", "03:04:05")
    assert await used_after(59) == ("03:05:04", "03:04:05")
    assert await used_after(1) == ("03:05:05", "03:05:05")


async def test_keys_are_known_to_the_next_daemon(web: WebBench) -> None:
    key = (await created(web, "kept", per_minute=5, origins=["https://example.com"]))["key"]
    found = ApiKeys(web.bench.store, web.bench.clock).find(key)
    assert found is not None
    assert (found.name, found.per_minute, found.origins) == ("kept", 5, ("https://example.com",))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "name: is text of 1 to 64 characters"),
        ({"name": " "}, "name: is text of 1 to 64 characters"),
        ({"name": "x" * 65}, "name: is text of 1 to 64 characters"),
        ({"name": "a\nb"}, "name: is text of 1 to 64 characters"),
        ({"name": 3}, "name: is text of 1 to 64 characters"),
        ({"name": "x", "endpoints": "a"}, "endpoints: is a list of texts"),
        ({"name": "x", "endpoints": ["a_b"]}, "endpoints: 'a_b' is no endpoint's name"),
        ({"name": "x", "endpoints": ["nope"]}, "endpoints: there is no endpoint nope"),
        ({"name": "x", "per_minute": -1}, "per_minute: is a whole number from 0 to 1000000"),
        ({"name": "x", "per_minute": True}, "per_minute: is a whole number from 0 to 1000000"),
        ({"name": "x", "per_minute": 1.5}, "per_minute: is a whole number from 0 to 1000000"),
        ({"name": "x", "expires_in_days": 0}, "expires_in_days: is a whole number from 1 to 3650"),
        ({"name": "x", "expires": 3}, "expires: is not known"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    web: WebBench, members: Mapping[str, Any], said: str
) -> None:
    answer = await web.owner.post("/api/v1/keys", json=members, headers={"x-csrf-token": web.csrf})
    assert (answer.status_code, answer.json()["detail"]) == (400, said)
    assert (await web.owner.get("/api/v1/keys")).json() == {"keys": []}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(web: WebBench, body: bytes) -> None:
    answer = await web.owner.post("/api/v1/keys", content=body, headers={"x-csrf-token": web.csrf})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("https://example.com", "https://example.com"),
        ("https://EXAMPLE.com/", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("*", None),
        ("null", None),
        ("example.com", None),
        ("file:///x", None),
        ("https://user@example.com", None),
        ("https://example.com/path", None),
        ("https://example.com:port", None),
    ],
)
async def test_an_origin_is_kept_as_browsers_write_it(
    web: WebBench, origin: str, kept: str | None
) -> None:
    answer = await web.owner.post(
        "/api/v1/keys",
        json={"name": "x", "origins": [origin]},
        headers={"x-csrf-token": web.csrf},
    )
    assert answer.json().get("origins") == (None if kept is None else [kept])


async def test_a_member_whose_name_is_no_text_is_not_known(web: WebBench) -> None:
    answer = await web.owner.post(
        "/api/v1/keys", content=b'{"\\ud800": 1}', headers={"x-csrf-token": web.csrf}
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "?: is not known")


async def test_the_page_shows_a_new_key_once_and_revokes_it_after_a_question(web: WebBench) -> None:
    made = await web.owner.post(
        "/keys",
        data={
            "csrf": web.csrf,
            "name": "phone <b>",
            "endpoints": "sentiment",
            "expires_in_days": "30",
            "per_minute": "60",
            "origins": "",
        },
    )
    assert made.status_code == 201
    found = SHOWN.search(made.text)
    assert found is not None
    assert (await asked(web, found[1])).status_code == 200
    page = (await web.owner.get("/keys")).text
    key_id = found[1].split("_")[2]
    assert found[1] not in page
    assert f"sgl_live_{key_id}…" in page
    assert "phone &lt;b&gt;" in page
    assert "2026-02-01" in page
    question = await web.owner.get(f"/keys/{key_id}/revoke")
    assert question.status_code == 200
    assert (await asked(web, found[1])).status_code == 200
    done = await web.owner.post(f"/keys/{key_id}/revoke", data={"csrf": web.csrf})
    assert (done.status_code, done.headers["location"]) == (303, "/keys")
    assert (await asked(web, found[1])).status_code == 401
    assert (await web.owner.get(f"/keys/{key_id}/revoke")).status_code == 404


async def test_a_form_with_a_mistake_is_shown_again_as_it_was_filled_in(web: WebBench) -> None:
    answer = await web.owner.post(
        "/keys",
        data={
            "csrf": web.csrf,
            "name": "mine",
            "endpoints": "sentiment",
            "expires_in_days": "365",
            "per_minute": "many",
            "origins": "",
        },
    )
    assert answer.status_code == 400
    assert 'value="mine"' in answer.text
    assert 'value="many"' in answer.text
    assert '<option value="365" selected>' in answer.text
    assert 'value="sentiment" checked' in answer.text
    assert "This is a whole number from 0 to 1000000." in answer.text
    assert 'aria-describedby="per_minute-help per_minute-error"' in answer.text


async def test_signing_out_everywhere_ends_every_session(web: WebBench) -> None:
    sessions = web.app.site.access.sessions
    another = sessions.begin()
    done = await web.owner.post("/keys/sign-out", data={"csrf": web.csrf})
    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert sessions.find(another) is None
    assert (await web.owner.get("/")).status_code == 303


ORIGIN = "https://example.com"


async def test_a_page_of_another_site_may_ask_with_a_key_that_names_it(web: WebBench) -> None:
    key = (await created(web, origins=[ORIGIN], endpoints=["sentiment"]))["key"]
    before = await web.visitor.options(
        PREDICT, headers={"origin": ORIGIN, "access-control-request-method": "POST"}
    )
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in before.headers
    answer = await asked(web, key, origin=ORIGIN)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert answer.headers["vary"] == "origin"
    wrong = await asked(web, key, "/api/v1/predict/not-there", origin=ORIGIN)
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (403, ORIGIN)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://example.com.evil"])
async def test_a_page_of_a_site_that_no_key_names_may_not_ask(web: WebBench, origin: str) -> None:
    key = (await created(web, origins=[ORIGIN]))["key"]
    answers = [
        await web.visitor.options(PREDICT, headers={"origin": origin}),
        await asked(web, key, origin=origin),
        await web.owner.get("/api/v1/keys", headers={"origin": origin}),
        await web.owner.post(
            PREDICT, content=b"{}", headers={"origin": origin, "x-csrf-token": web.csrf}
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)


async def test_an_expired_key_names_no_origin(web: WebBench) -> None:
    await created(web, origins=[ORIGIN], expires_in_days=1)
    web.bench.clock.move(DAY_S)
    answer = await web.visitor.options(PREDICT, headers={"origin": ORIGIN})
    assert answer.status_code == 403
