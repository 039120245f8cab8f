"""The History tab and the settings: calls listed, compared, made again and forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.hosting.call_history import Made
from tests.web_bench import WebBench, a_web_bench

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HISTORY = "/endpoints/sentiment/history"
FIRST, SECOND = "01KDZAAAAAAAAAAAAAAAAAAAAA", "01KDZBBBBBBBBBBBBBBBBBBBBB"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        await bench.bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
        yield bench


def record(
    web: WebBench,
    body: bytes = b'["text"]',
    answer: bytes = b'{"p": 0.5}',
    *,
    call_id: str = "",
    second: float = 0,
    status: int = 200,
    handler: str = "",
) -> None:
    asked = Invocation("sentiment", body, content_type="application/json", trace=call_id)
    timing = Timing(0.5, {}, 2.5)
    said = Answer(status, answer, "application/json", "v", 3, timing=timing, handler=handler)
    web.history.record([Made(asked, said, AT + timedelta(seconds=second))])


async def post(web: WebBench, path: str, **form: str) -> httpx.Response:
    return await web.owner.post(path, data={"csrf": web.csrf, **form})


async def test_an_empty_history_says_so(web: WebBench) -> None:
    assert "No calls yet." in (await web.owner.get(HISTORY)).text


async def test_calls_are_listed_with_what_they_were(web: WebBench) -> None:
    record(web, b'["<script>alert(1)</script>"]', call_id=FIRST)
    record(web, status=500, handler="predict_fn", second=1)
    page = (await web.owner.get(HISTORY)).text
    assert page.count('data-testid="call"') == 2
    assert "[&#34;&lt;script&gt;alert(1)" in page
    assert "predict_fn" in page
    assert f'href="/endpoints/sentiment?call={FIRST}"' in page
    assert 'data-live="calls:sentiment"' in page


async def test_the_list_is_a_block_of_its_own(web: WebBench) -> None:
    record(web)
    block = (await web.owner.get(HISTORY, headers={"x-fragment": "calls"})).text
    assert block.lstrip().startswith('<div id="calls"')
    assert block.count('data-testid="call"') == 1
    assert web.csrf in block


async def test_older_calls_are_on_further_pages(web: WebBench) -> None:
    for second in range(60):
        record(web, b"%d" % second, second=second)
    first = (await web.owner.get(HISTORY)).text
    assert first.count('data-testid="call"') == 50
    older = first.split("history?before=")[1].split('"')[0]
    then = (await web.owner.get(f"{HISTORY}?before={older}")).text
    assert then.count('data-testid="call"') == 10
    assert "data-live=" not in then.split('id="calls"')[1].split(">")[0]


@pytest.mark.parametrize(
    "query", [f"diff={SECOND},{FIRST}", f"diff={FIRST}&diff={SECOND}", f"diff={FIRST},{SECOND}"]
)
async def test_two_calls_can_be_compared(web: WebBench, query: str) -> None:
    record(web, answer=b'{"p": 0.5}', call_id=FIRST)
    record(web, answer=b'{"p": 0.75}', call_id=SECOND, second=1)
    page = (await web.owner.get(f"{HISTORY}?{query}")).text
    assert 'data-testid="compared"' in page
    assert page.index("0.5") < page.index("0.75")


async def test_one_call_or_three_cannot_be_compared(web: WebBench) -> None:
    answer = await web.owner.get(f"{HISTORY}?diff={FIRST}")
    assert answer.status_code == 400
    assert "Two calls can be compared, not 1" in answer.text


async def test_a_call_that_is_gone_cannot_be_compared(web: WebBench) -> None:
    answer = await web.owner.get(f"{HISTORY}?diff={FIRST},{SECOND}")
    assert answer.status_code == 404


async def test_a_call_is_made_again_and_compared(web: WebBench) -> None:
    record(web, answer=b'{"p": 0.25}', call_id=FIRST)
    web.bench.host.line = Answer(200, b'{"p": 0.75}', "application/json", "v", 4)
    answer = await post(web, f"{HISTORY}/{FIRST}/run")
    assert answer.status_code == 200
    assert "0.25" in answer.text
    assert "0.75" in answer.text
    (asked,) = web.bench.host.invocations
    assert (asked.body, asked.source, bool(asked.trace)) == (b'["text"]', "web", True)


async def test_nothing_runs_by_a_link(web: WebBench) -> None:
    record(web, call_id=FIRST)
    answer = await web.owner.get(f"{HISTORY}/{FIRST}/run")
    assert answer.status_code == 303
    await web.owner.get(HISTORY)
    assert web.bench.host.invocations == []


async def test_a_call_without_its_payload_is_not_made_again(web: WebBench) -> None:
    record(web, b'{"token": "T"}', call_id=FIRST)
    record(web, b"x" * 1_000_001, call_id=SECOND, second=1)
    page = (await web.owner.get(HISTORY)).text
    assert "Run again" not in page
    for call_id in (FIRST, SECOND):
        assert (await post(web, f"{HISTORY}/{call_id}/run")).status_code == 409


async def test_the_history_is_cleared(web: WebBench) -> None:
    record(web)
    assert (await post(web, f"{HISTORY}/clear")).status_code == 303
    assert web.history.recent("sentiment") == ()


async def test_the_history_is_exported_a_line_a_call(web: WebBench) -> None:
    for second in range(60):
        record(web, b"%d" % second, b"\xff", second=second)
    export = await web.owner.get("/api/v1/endpoints/sentiment/history.jsonl")
    lines = [json.loads(line) for line in export.text.splitlines()]
    assert [line["body"]["text"] for line in lines] == [str(n) for n in range(59, -1, -1)]
    assert lines[0]["answer_body"] == {"base64": "/w=="}
    assert 'filename="sentiment-calls.jsonl"' in export.headers["content-disposition"]


@pytest.mark.parametrize(
    "path", [f"{HISTORY}/clear", f"{HISTORY}/{FIRST}/run", "/settings/history",
             "/settings/history/clear", "/settings/theme"]
)  # fmt: skip
async def test_what_changes_something_is_the_owners_and_needs_the_token(
    web: WebBench, path: str
) -> None:
    record(web, call_id=FIRST)
    assert (await web.visitor.post(path)).status_code == 401
    assert (await web.owner.post(path, data={"history": "off"})).status_code == 403
    assert len(web.history.recent("sentiment")) == 1
    assert web.history.is_on


@pytest.mark.parametrize("path", [HISTORY, "/settings", "/endpoints/sentiment/metrics"])
async def test_a_visitor_is_sent_to_sign_in(web: WebBench, path: str) -> None:
    answer = await web.visitor.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


async def test_there_is_no_history_of_what_there_is_not(web: WebBench) -> None:
    assert (await web.owner.get("/endpoints/none/history")).status_code == 404


async def test_the_history_is_turned_off_and_on(web: WebBench) -> None:
    assert "<strong>on</strong>" in (await web.owner.get("/settings")).text
    assert (await post(web, "/settings/history", history="off")).status_code == 303
    assert "<strong>off</strong>" in (await web.owner.get("/settings")).text
    assert 'data-testid="history-off"' in (await web.owner.get(HISTORY)).text
    await post(web, "/settings/history", history="on")
    assert "<strong>on</strong>" in (await web.owner.get("/settings")).text
    assert (await post(web, "/settings/history", history="maybe")).status_code == 400


async def test_settings_say_what_is_kept_and_where(web: WebBench) -> None:
    record(web)
    page = (await web.owner.get("/settings")).text
    assert 'data-testid="history-calls">1<' in page
    await post(web, "/settings/history/clear")
    assert 'data-testid="history-calls">0<' in (await web.owner.get("/settings")).text


async def test_a_theme_is_the_browsers(web: WebBench) -> None:
    assert 'data-theme="auto"' in (await web.owner.get("/settings")).text
    assert (await post(web, "/settings/theme", theme="dark")).status_code == 303
    assert 'data-theme="dark"' in (await web.owner.get("/settings")).text
    assert (await post(web, "/settings/theme", theme="pink")).status_code == 400


async def test_programs_may_look_after_the_history_too(web: WebBench) -> None:
    record(web)
    token = {"x-csrf-token": web.csrf}
    facts = (await web.owner.get("/api/v1/history")).json()
    assert (facts["is_on"], facts["kept"], facts["calls"]) == (True, 500, 1)
    off = await web.owner.post("/api/v1/history", json={"is_on": False}, headers=token)
    assert off.json()["is_on"] is False
    for body in (b"nonsense", b"[" * 100_000, b"[]", b"{}", b'{"is_on": 1}'):
        bad = await web.owner.post("/api/v1/history", content=body, headers=token)
        assert bad.status_code == 400
    path = "/api/v1/endpoints/sentiment/history"
    assert (await web.owner.delete(path, headers=token)).json() == {"calls": 1}
    record(web)
    assert (await web.owner.delete("/api/v1/history", headers=token)).json() == {"calls": 1}
    assert (await web.owner.delete(path)).status_code == 403
    assert (await web.visitor.delete(path)).status_code == 401
