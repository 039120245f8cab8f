"""The Predict tab: filling in, running, what came of it, its files, and saving examples."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation, Timing
from sagelet.errors import QueueFull
from sagelet.hosting.call_history import Made
from tests.fakes import ScriptedHost
from tests.page_text import attributes, texts
from tests.web_bench import WebBench, a_web_bench

NAME = "texts"
RUN = f"/endpoints/{NAME}/run"
BODY = '[["The Wimbledon tennis tournament starts next week!"]]'
PREDICTION = [
    {
        "probabilities": {"Tweets": 0.7, "Reviews": 0.2, "Editorials": 0.06, "Other": 0.04},
        "top_n_grams": {"2": "starts next", "3": "wimbledon tennis tournament", "4": "gone now"},
    }
]
TIMES = Timing(1.5, {"input_fn": 0.5, "predict_fn": 6.0, "output_fn": 0.5}, 10.0)
ANSWER = Answer(
    200, json.dumps(PREDICTION).encode(), "application/json", "AllTraffic", 3, timing=TIMES
)
FRAGMENT = {"x-fragment": "result"}


class HeldHost(ScriptedHost):
    """A host whose answers come when the test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.held: asyncio.Queue[asyncio.Future[Answer]] = asyncio.Queue()

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        self.invocations.append(invocation)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.held.put_nowait(answer)
        return answer


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path, host=ScriptedHost(ANSWER)) as bench:
        await serve(bench)
        yield bench


async def serve(web: WebBench, *variants: str) -> None:
    """Bring the endpoint up, as far as a scripted host does."""
    await web.bench.create_model()
    await web.bench.create_config()
    await web.bench.ask("CreateEndpoint", EndpointName=NAME, EndpointConfigName="sentiment-1")
    web.bench.move_endpoint(NAME, EndpointStatus.IN_SERVICE)
    served = tuple(
        VariantFacts(each, 3, "sane", is_parked=False, waiting=0, workers=())
        for each in variants or ("AllTraffic",)
    )
    web.bench.host.known[NAME] = EndpointFacts(NAME, served, None)


def filled(web: WebBench, body: str = BODY, **more: str) -> dict[str, str]:
    """Return what a browser submits whose raw editor holds a text."""
    raw = {"body.mode": "raw", "body.raw": body, "content_type": "application/json"}
    return {"csrf": web.csrf, **raw, **more}


async def run(web: WebBench, body: str = BODY, **more: Any) -> httpx.Response:  # noqa: ANN401
    headers = more.pop("headers", {})
    return await web.owner.post(RUN, data=filled(web, body, **more), headers=headers)


async def test_opening_the_page_runs_nothing(web: WebBench) -> None:
    for address in ("", "?ex=wimbledon", "?call=01ARZ3NDEKTSV4RRFFQ69G5FAV", "#s=abc"):
        page = await web.owner.get(f"/endpoints/{NAME}{address}")
        assert page.status_code == 200
        assert "Nothing has run yet" in page.text
    assert (await web.owner.get(RUN)).headers["location"] == f"/endpoints/{NAME}"
    assert web.bench.host.invocations == []


async def test_a_run_sends_the_exact_bytes_and_shows_bars_and_phrases(web: WebBench) -> None:
    page = await run(web, accept="application/json")
    assert page.status_code == 200
    (sent,) = web.bench.host.invocations
    assert (sent.body, sent.content_type, sent.accept) == (
        BODY.encode(),
        "application/json",
        "application/json",
    )
    assert (sent.source, len(sent.trace)) == ("web", 26)
    assert texts(page.text, "bar-label") == ["Tweets", "Reviews", "Editorials", "Other"]
    assert texts(page.text, "bar-share") == ["70 %", "20 %", "6 %", "4 %"]
    assert texts(page.text, "gram") == ["Wimbledon tennis tournament", "starts next"]
    assert texts(page.text, testid="unmatched") == ["not in the text"]


async def test_the_times_of_a_run_add_up(web: WebBench) -> None:
    page = (await run(web)).text
    steps = texts(page, testid="waterfall")[0].split()
    assert steps[:6] == ["Where", "the", "time", "went:", "10", "ms"]
    for step in ("queue", "input_fn", "predict_fn", "output_fn", "overhead"):
        assert step in steps


async def test_only_the_result_comes_where_a_script_asks_for_it(web: WebBench) -> None:
    page = await run(web, headers=FRAGMENT)
    assert page.text.lstrip().startswith('<div id="result"')
    assert "<html" not in page.text


async def test_the_requests_own_lines_are_shown_without_what_terminals_obey(web: WebBench) -> None:
    web.bench.host.printed = ("plain <b>", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07bell")
    page = (await run(web)).text
    (log,) = texts(page, testid="request-log")
    assert "plain <b>" in log
    assert "red" in log
    assert "title" not in log
    assert "\x1b" not in page


async def test_a_models_error_is_a_page_with_its_place_and_traceback(web: WebBench) -> None:
    said = (
        "bad <script>alert(1)</script>\nTraceback (most recent call last):\n"
        '  File "/home/me/serve.py", line 7, in predict_fn\n    return model(data)\n'
        '  File "/venv/lib/python3.11/site-packages/torch/nn.py", line 9, in call\n    x\n'
        "ValueError: bad <script>alert(1)</script>\n"
    )
    web.bench.host.line = Answer(
        500, said.encode(), "text/plain", "v", 3, handler="predict_fn", where="/home/me/serve.py:7"
    )
    page = await run(web)
    assert page.status_code == 200
    assert texts(page.text, testid="where") == ["/home/me/serve.py:7"]
    assert "predict_fn" in texts(page.text, testid="failure")[0]
    assert "1 frame of libraries" in page.text
    assert "<script>alert" not in page.text
    assert f'href="/endpoints/{NAME}/logs"' in page.text


async def test_what_did_not_run_is_told_and_what_was_filled_in_is_kept(web: WebBench) -> None:
    web.bench.host.line = QueueFull(endpoint=NAME, waiting=8)
    page = await run(web, '["kept <i>"]')
    assert page.status_code == 503
    assert texts(page.text, testid="run-problem")
    assert "kept &lt;i&gt;" in page.text


async def test_a_form_without_its_token_runs_nothing(web: WebBench) -> None:
    page = await web.owner.post(RUN, data={**filled(web), "csrf": "wrong"})
    assert page.status_code == 403
    assert (await web.visitor.post(RUN, data=filled(web))).status_code == 401
    assert web.bench.host.invocations == []


async def test_an_endpoint_that_does_not_serve_says_so(web: WebBench) -> None:
    web.bench.host.known.clear()
    page = await web.owner.get(f"/endpoints/{NAME}")
    assert page.status_code == 200
    assert texts(page.text, testid="not-serving")
    assert (await run(web)).status_code == 409


async def test_an_endpoint_that_is_not_there_is_a_page_too(web: WebBench) -> None:
    for headers in ({}, FRAGMENT):
        page = await web.owner.get("/endpoints/nobody", headers=headers)
        assert page.status_code == 404
        assert "nobody" in page.text


async def test_the_second_run_is_compared_with_the_first(web: WebBench) -> None:
    first = await run(web)
    (number,) = attributes(first.text, "data-run-id")
    other = json.loads(json.dumps(PREDICTION))
    other[0]["probabilities"]["Tweets"] = 0.5
    other[0]["probabilities"]["Other"] = 0.24
    web.bench.host.line = Answer(200, json.dumps(other).encode(), "application/json", "v", 4)
    page = (await run(web, previous=number)).text
    (told,) = texts(page, testid="difference")
    assert "Version 3 became version 4" in told
    assert "$[0].probabilities.Tweets0.70.5-0.2" in told
    assert "-20" in texts(page, testid="bar-changes")[0]
    assert texts((await run(web, previous="nothing")).text, testid="difference") == []


async def test_an_answer_is_downloaded_as_it_came_and_never_shown_as_a_page(web: WebBench) -> None:
    body = b"<html><script>alert(1)</script></html>"
    web.bench.host.line = Answer(200, body, "text/html", "v", 1)
    page = (await run(web)).text
    assert "<script>alert" not in page
    (address,) = attributes(page, "href", testid="download")
    file = await web.owner.get(address)
    assert (file.content, file.headers["content-type"]) == (body, "text/html")
    assert file.headers["content-disposition"].startswith("attachment")
    (address,) = attributes(page, "href", testid="download-payload")
    assert (await web.owner.get(address)).content == BODY.encode()


async def test_a_table_and_a_matrix_are_downloaded_as_files(web: WebBench) -> None:
    value = {"rows": [{"a": 1, "b": "x,y"}, {"a": 2, "b": None}], "m": [[1.0, 2.0], [3.0, 4.0]]}
    web.bench.host.line = Answer(200, json.dumps(value).encode(), "application/json", "v", 1)
    page = (await run(web)).text
    (table,) = attributes(page, "href", testid="csv")
    assert (await web.owner.get(table)).text.splitlines() == ["a,b", '1,"x,y"', "2,"]
    (matrix,) = attributes(page, "href", testid="npy")
    assert (await web.owner.get(matrix)).content.startswith(b"\x93NUMPY")
    assert (await web.owner.get(f"{matrix}/nowhere")).status_code == 404


async def test_a_run_has_an_address_that_shows_it_again_without_running_it(web: WebBench) -> None:
    page = (await run(web, '[["again"]]')).text
    (address,) = attributes(page, "href", testid="permalink")
    again = (await web.owner.get(address)).text
    assert texts(again, "bar-label") == ["Tweets", "Reviews", "Editorials", "Other"]
    assert "again" in again
    assert len(web.bench.host.invocations) == 1
    gone = await web.owner.get(f"/endpoints/{NAME}/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert gone.status_code == 404


async def test_a_call_of_the_history_fills_the_form_in_and_can_be_seen_again(
    web: WebBench,
) -> None:
    asked = Invocation(NAME, b'[["from the history <i>"]]', "application/json", "text/csv")
    web.history.record([Made(asked, ANSWER, web.bench.clock.now())])
    (call,) = web.history.recent(NAME)
    page = await web.owner.get(f"/endpoints/{NAME}?call={call.id}")
    assert "from the history &lt;i&gt;" in page.text
    assert 'value="text/csv"' in page.text
    assert "Nothing has run yet" in page.text
    seen = await web.owner.get(f"/endpoints/{NAME}/runs/{call.id}")
    assert texts(seen.text, "bar-label") == ["Tweets", "Reviews", "Editorials", "Other"]
    assert web.bench.host.invocations == []
    unknown = await web.owner.get(f"/endpoints/{NAME}?call=01ARZ3NDEKTSV4RRFFQ69G5FAX")
    assert "no longer in the history" in unknown.text


async def test_a_chosen_variant_is_asked(web: WebBench, tmp_path: Path) -> None:
    known = web.bench.host.known[NAME].variants[0]
    two = (known, VariantFacts("b", 1, "sane", is_parked=False, waiting=0, workers=()))
    web.bench.host.known[NAME] = EndpointFacts(NAME, two, None)
    assert 'name="target_variant"' in (await web.owner.get(f"/endpoints/{NAME}")).text
    await run(web, target_variant="b")
    assert web.bench.host.invocations[-1].target_variant == "b"


async def test_a_content_type_of_several_lines_is_refused(web: WebBench) -> None:
    page = await run(web, content_type="text/plain\r\nx-evil: 1")
    assert page.status_code == 422
    assert web.bench.host.invocations == []


async def test_a_browser_that_leaves_withdraws_its_run(tmp_path: Path) -> None:
    host = HeldHost()
    async with a_web_bench(tmp_path, host=host) as web:
        await serve(web)
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        request = web.owner.build_request("POST", RUN, data=filled(web))
        messages.put_nowait({"type": "http.request", "body": request.content})
        sent: list[Any] = []

        async def send(message: Any) -> None:  # noqa: ANN401  ASGI's own
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": RUN,
            "raw_path": RUN.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(k.lower(), v) for k, v in request.headers.raw],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 7543),
        }
        asking = asyncio.create_task(web.app(scope, messages.get, send))
        async with asyncio.timeout(5):
            answer = await host.held.get()
            messages.put_nowait({"type": "http.disconnect"})
            await asking
        assert answer.cancelled()
        assert sent == []


async def test_five_megabytes_there_and_back_take_a_bounded_time_and_page(web: WebBench) -> None:
    rows = [{"label": f"row {n}", "score": n / 7, "text": "x" * 60} for n in range(50_000)]
    large = json.dumps(rows)
    web.bench.host.line = Answer(200, large.encode(), "application/json", "v", 1)
    payload = json.dumps(["y" * 5_000_000])
    began = time.process_time()
    answer = await web.owner.post(
        RUN, data=filled(web, payload), headers=FRAGMENT, files={"unused": b""}
    )
    took_s = time.process_time() - began
    assert answer.status_code == 200
    assert len(web.bench.host.invocations[0].body) == len(payload)
    assert len(answer.text) < 1_000_000
    assert "more rows are not shown" in answer.text
    assert texts(answer.text, testid="raw-cut")
    assert took_s < 5, took_s


async def test_too_large_a_payload_is_refused_before_it_is_run(web: WebBench) -> None:
    page = await run(web, json.dumps("z" * (6 * 2**20)))
    assert page.status_code == 413, page.text
    assert web.bench.host.invocations == []


async def save(web: WebBench, name: str, body: str = BODY) -> httpx.Response:
    data = {**filled(web, body), "example.name": name}
    return await web.owner.post(f"/endpoints/{NAME}/examples", data=data)


async def test_an_example_is_saved_in_the_project_that_is_served(
    web: WebBench, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    staged = project / ".sagelet" / "local" / "model"
    staged.mkdir(parents=True)
    web.bench.host.folders[NAME] = staged
    assert texts((await web.owner.get(f"/endpoints/{NAME}")).text, testid="save-example") == [
        "Save in tests/payloads"
    ]
    page = await save(web, "Wimbledon 1")
    assert texts(page.text, testid="saved") == ["Saved as tests/payloads/Wimbledon 1.json."]
    file = project / "tests" / "payloads" / "Wimbledon 1.json"
    assert file.read_text() == BODY
    assert (await save(web, "Wimbledon 1")).status_code == 200
    taken = await save(web, "Wimbledon 1.json", "[]")
    assert (taken.status_code, file.read_text()) == (409, BODY)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert web.bench.host.invocations == []


@pytest.mark.parametrize(
    "name", ["../evil", "..", "a/b", "a\\b", "", ".hidden", "a\x00b", "x" * 200, "con", "a.answer"]
)
async def test_an_examples_name_leads_nowhere_else(
    web: WebBench, tmp_path: Path, name: str
) -> None:
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    web.bench.host.folders[NAME] = model
    assert (await save(web, name)).status_code == 400
    assert [each for each in model.rglob("*") if each.is_file()] == []
    assert not (tmp_path / "evil.json").exists()


async def test_nothing_is_saved_into_an_archive_that_was_unpacked(
    web: WebBench, tmp_path: Path
) -> None:
    unpacked = tmp_path / "home" / "endpoints" / "1" / "ml" / "model"
    unpacked.mkdir(parents=True)
    web.bench.host.folders[NAME] = unpacked
    assert 'data-testid="save"' not in (await web.owner.get(f"/endpoints/{NAME}")).text
    assert (await save(web, "one")).status_code == 409
    assert list(unpacked.iterdir()) == []


FAILURE = """ModuleNotFoundError: No module named 'lost' at /code/inference.py:1
Traceback (most recent call last):
  File "/code/inference.py", line 1, in <module>
    import lost
ModuleNotFoundError: No module named 'lost'
The primary container for production variant AllTraffic did not pass the ping health check."""


async def test_an_endpoint_that_failed_says_where_and_what_to_do(web: WebBench) -> None:
    web.bench.host.known.clear()
    web.bench.move_endpoint(NAME, EndpointStatus.UPDATING)
    web.bench.move_endpoint(NAME, EndpointStatus.FAILED, failure_reason=FAILURE)
    page = (await web.owner.get(f"/endpoints/{NAME}")).text
    (message,) = texts(page, testid="endpoint-failure-message")
    assert message == "ModuleNotFoundError: No module named 'lost' at /code/inference.py:1"
    (traceback,) = texts(page, testid="endpoint-traceback")
    assert "import lost" in traceback
    assert "sagelet deploy" in texts(page, testid="not-serving")[0]


async def test_a_run_where_nothing_serves_says_why(web: WebBench) -> None:
    web.bench.host.known.clear()
    answer = await run(web, headers=FRAGMENT)
    assert answer.status_code == 409
    assert f"{NAME} cannot be run now: it is InService" in answer.text
    web.bench.move_endpoint(NAME, EndpointStatus.DELETING)
    assert f"{NAME} cannot be run now: it is Deleting" in (await run(web)).text
    answer = await web.owner.post("/endpoints/nowhere/run", data=filled(web))
    assert answer.status_code == 404


async def test_an_endpoint_asked_for_in_another_case_is_led_to(web: WebBench) -> None:
    answer = await web.owner.get(f"/endpoints/{NAME.upper()}?ex=one%26two")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"/endpoints/{NAME}?ex=one%26two"
