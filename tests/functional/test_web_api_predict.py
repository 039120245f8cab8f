"""Predictions over the JSON API: bytes in, bytes out, and errors that a program can tell apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagelet.domain.clock import SystemClock
from sagelet.domain.invocation import Answer, Timing
from sagelet.errors import EndpointNotInService, QueueFull, VariantNotFound
from tests.door_rig import MAX_BODY_BYTES, PATIENCE_S, Door, HeldHost, a_door
from tests.signed_requests import raw, signed
from tests.web_bench import WebBench, a_web_bench

PATH = "/api/v1/predict/sentiment"
GOOD = Answer(
    200,
    b'{"label": "Sports"}',
    "application/json; charset=utf-8",
    "AllTraffic",
    3,
    timing=Timing(0.5, {"input_fn": 0.25, "predict_fn": 2.0, "output_fn": 0.25}, 3.1),
)
FAILED = Answer(
    500,
    b"Traceback: KeyError: 'text'",
    "text/plain",
    "AllTraffic",
    3,
    handler="predict_fn",
    where="inference.py:12",
)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        bench.bench.host.line = GOOD
        yield bench


def a_key(web: WebBench, **members: Any) -> str:  # noqa: ANN401  its own
    return web.app.site.access.keys.create("program", **members)[1]


async def predict(web: WebBench, body: bytes = b'{"x": 1}', **headers: str) -> httpx.Response:
    """Ask as the owner's browser does."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await web.owner.post(PATH, content=body, headers={"x-csrf-token": web.csrf, **named})


async def test_the_body_goes_as_it_is_and_the_answer_comes_as_it_is(web: WebBench) -> None:
    body = b"\x00\xff not JSON \r\n"
    answer = await predict(web, body, content_type="application/x-npy", accept="text/csv")
    assert (answer.status_code, answer.content) == (200, GOOD.body)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    asked = web.bench.host.invocations[0]
    assert (asked.body, asked.content_type, asked.accept) == (body, "application/x-npy", "text/csv")
    assert (asked.endpoint, asked.source) == ("sentiment", "api")


async def test_an_answer_tells_its_request_its_time_and_the_models_version(web: WebBench) -> None:
    headers = (await predict(web)).headers
    assert len(headers["x-request-id"]) == 26
    assert headers["x-model-latency-ms"] == "2.500"
    assert headers["x-model-version"] == headers["x-sagelet-generation"] == "3"
    assert "predict_fn;dur=2.000" in headers["server-timing"]
    assert headers["cache-control"] == "no-store"


async def test_a_browser_that_is_led_to_an_answer_runs_nothing_of_it(web: WebBench) -> None:
    web.bench.host.line = Answer(200, b"<script>1</script>", "text/html", "v", 1)
    headers = (await predict(web)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert headers["x-content-type-options"] == "nosniff"


async def test_headers_of_the_model_are_passed_on_but_no_cookie(web: WebBench) -> None:
    web.bench.host.line = Answer(
        200,
        b"1",
        "text/plain",
        "v",
        1,
        headers={
            "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
            "set-cookie": "session=evil",
            "content-length": "99",
            "access-control-allow-origin": "*",
            "content-security-policy": "script-src *",
            "X-Request-Id": "another",
        },
    )
    answer = await predict(web)
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert not {"set-cookie", "access-control-allow-origin"} & set(answer.headers)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert "another" not in answer.headers["x-request-id"]
    assert answer.content == b"1"


async def test_no_header_of_a_model_breaks_an_answer(tmp_path: Path) -> None:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        door.host.line = Answer(
            200,
            b"1",
            "text/plain; of=\N{EURO SIGN}\r\nset-cookie: a=b",
            "v",
            1,
            headers={"X-Amzn-SageMaker-Custom-Attributes": "\N{EURO SIGN}\r\nset-cookie: c=d"},
        )
        answer = await door.exchange(raw(PATH, signed(PATH, b"1", service="sagelet"), b"1"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nset-cookie" not in answer
    assert "\r\ncontent-type: text/plain; of=\N{EURO SIGN}  set-cookie: a=b\r\n".encode() in answer


@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [(100, b"1", 200), (204, b"", 204), (204, b"1", 200), (206, b"1", 206), (304, b"1", 200)],
)
async def test_every_result_is_an_answer_with_its_body(
    tmp_path: Path, status: int, body: bytes, ours: int
) -> None:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        door.host.line = Answer(status, body, "text/plain", "v", 1)
        answer = await door.exchange(raw(PATH, signed(PATH, b"1", service="sagelet"), b"1"))
    assert answer.startswith(b"HTTP/1.1 %d " % ours)
    assert answer.endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?variant=green&model=a.tar.gz", {}),
        (
            "",
            {
                "x-amzn-sagemaker-target-variant": "green",
                "x-amzn-sagemaker-target-model": "a.tar.gz",
            },
        ),
    ],
)
async def test_a_variant_and_a_model_can_be_named(
    web: WebBench, query: str, headers: dict[str, str]
) -> None:
    await web.owner.post(PATH + query, headers={"x-csrf-token": web.csrf, **headers})
    asked = web.bench.host.invocations[0]
    assert (asked.target_variant, asked.target_model) == ("green", "a.tar.gz")


async def test_what_a_program_says_without_being_told_counts_for_nothing(web: WebBench) -> None:
    await predict(web, accept="*/*", content_type="application/x-www-form-urlencoded")
    asked = web.bench.host.invocations[0]
    assert (asked.accept, asked.content_type) == (None, None)


@pytest.mark.parametrize(("status", "ours"), [(500, 424), (400, 424), (0, 424), (415, 415)])
async def test_a_models_error_is_a_problem_with_the_models_status(
    web: WebBench, status: int, ours: int
) -> None:
    web.bench.host.line = Answer(
        status, FAILED.body, "text/plain", "v", 3, handler="predict_fn", where="inference.py:12"
    )
    answer = await predict(web)
    assert answer.status_code == ours
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem == {
        "type": "about:blank",
        "title": {424: "Failed Dependency", 415: "Unsupported Media Type"}[ours],
        "status": ours,
        "detail": "Traceback: KeyError: 'text'",
        "message": "Traceback: KeyError: 'text'",
        "code": "ModelError",
        "original_status": status,
        "request_id": answer.headers["x-request-id"],
        "handler": "predict_fn",
        "where": "inference.py:12",
    }
    assert answer.headers["x-sagelet-handler"] == "predict_fn"


async def test_an_error_that_is_no_text_and_one_that_is_long_can_be_shown(web: WebBench) -> None:
    web.bench.host.line = Answer(500, b"\xff" * 9000, None, "v", 1)
    assert len((await predict(web)).json()["detail"]) == 4096
    web.bench.host.line = Answer(0, b"", None, "v", 1)
    assert (await predict(web)).json()["detail"] == "the model did not answer in time"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EndpointNotInService(name="sentiment", account_id="000000000000"), 404),
        (VariantNotFound(endpoint="sentiment", variant="green"), 404),
        (QueueFull(endpoint="sentiment", waiting=256), 503),
    ],
)
async def test_what_never_reached_a_model_has_a_status_of_its_own(
    web: WebBench, error: Exception, status: int
) -> None:
    web.bench.host.line = error
    answer = await predict(web)
    assert answer.status_code == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_only_post_predicts(web: WebBench) -> None:
    answer = await web.owner.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert web.bench.host.invocations == []


async def test_a_browser_needs_its_token_and_a_visitor_a_key(web: WebBench) -> None:
    assert (await web.owner.post(PATH, content=b"1")).status_code == 403
    refused = await web.visitor.post(PATH, content=b"1")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert web.bench.host.invocations == []


@pytest.mark.parametrize("scheme", ["bearer", "x-api-key"])
async def test_a_key_predicts_and_reads_nothing_else(web: WebBench, scheme: str) -> None:
    key = a_key(web)
    headers = {"authorization": f"Bearer {key}"} if scheme == "bearer" else {"x-api-key": key}
    assert (await web.visitor.post(PATH, content=b"1", headers=headers)).status_code == 200
    for path in ("endpoints", "endpoints/sentiment", "jobs", "events", "logs?group=g"):
        answer = await web.visitor.get(f"/api/v1/{path}", headers=headers)
        assert (path, answer.status_code) == (path, 403)


async def test_a_key_is_good_for_its_endpoints_at_its_rate(web: WebBench) -> None:
    other = {"x-api-key": a_key(web, endpoints=("other",))}
    assert (await web.visitor.post(PATH, content=b"1", headers=other)).status_code == 403
    slow = {"x-api-key": a_key(web, endpoints=("Sentiment",), per_minute=1)}
    assert (await web.visitor.post(PATH, content=b"1", headers=slow)).status_code == 200
    late = await web.visitor.post(PATH, content=b"1", headers=slow)
    assert late.status_code == 429
    assert 1 <= int(late.headers["retry-after"]) <= 60


async def test_what_a_visitor_asks_of_one_endpoint_counts_for_no_other(web: WebBench) -> None:
    web.app.site.access.open_to_visitors = {"sentiment": 2, "Sentiment": 2, "other": 10}.get
    other = PATH.replace("sentiment", "other")
    paths = (other, PATH, PATH, other, PATH, PATH.replace("sentiment", "Sentiment"))
    statuses = [(await web.visitor.post(path, content=b"1")).status_code for path in paths]
    assert statuses == [200, 200, 200, 200, 429, 429]


async def test_a_signed_request_predicts(tmp_path: Path) -> None:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        fields = signed(PATH, b"[1]", {"Content-Type": "application/json"}, service="sagelet")
        answer = await door.exchange(raw(PATH, fields, b"[1]"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert door.host.invocations[0].body == b"[1]"


async def test_a_body_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        body = b"x" * (MAX_BODY_BYTES + 1)
        answer = await door.exchange(raw(PATH, signed(PATH, body, service="sagelet"), body))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert door.host.invocations == []


async def test_a_client_that_leaves_withdraws_what_has_not_begun(tmp_path: Path) -> None:
    host = HeldHost()
    async with a_door(tmp_path, host=host, clock=SystemClock()) as door:
        writer = await _waiting(door, host)
        writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while not host.held[0].cancelled():
                await asyncio.sleep(0.005)


async def _waiting(door: Door, host: HeldHost) -> asyncio.StreamWriter:
    _, writer = await door.connect()
    writer.write(raw(PATH, signed(PATH, b"[1]", service="sagelet"), b"[1]"))
    async with asyncio.timeout(PATIENCE_S):
        while not host.held:
            await asyncio.sleep(0.005)
    return writer
