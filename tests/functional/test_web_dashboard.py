"""The dashboard and the pages around it, in process, on what a scripted host knows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.domain.facts import EditProblem, EndpointFacts, VariantFacts, WorkerFacts
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.training import SecondaryStatus
from sagelet.web.pages.dashboard_rows import Trend
from tests.web_bench import WebBench, a_web_bench

FRAGMENT = "x-fragment"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


def facts_of(name: str, problem: EditProblem | None = None) -> EndpointFacts:
    variant = VariantFacts(
        variant="AllTraffic",
        generation=3,
        contract="lenient",
        is_parked=False,
        waiting=0,
        workers=(WorkerFacts(1, 3, is_busy=True), WorkerFacts(2, 3, is_busy=False)),
        requests=1234,
        errors=5,
        latency_ms={"p50": 1.25, "p90": 3.0, "p99": 12.0},
        problem=problem,
    )
    return EndpointFacts(name, (variant,), None)


async def serve(web: WebBench, name: str, problem: EditProblem | None = None) -> None:
    """Bring an endpoint up, on the bench's one model."""
    bench = web.bench
    if not bench.host.known:
        await bench.create_model()
        await bench.create_config()
    await bench.ask("CreateEndpoint", EndpointName=name, EndpointConfigName="sentiment-1")
    bench.move_endpoint(name, EndpointStatus.IN_SERVICE)
    bench.host.known[name] = facts_of(name, problem)


async def test_an_empty_dashboard_says_how_to_begin(web: WebBench) -> None:
    page = (await web.owner.get("/")).text
    for command in ("sagelet init", "sagelet train", "sagelet deploy"):
        assert command in page


async def test_an_endpoint_is_told_of_in_one_row(web: WebBench) -> None:
    await serve(web, "sentiment-a")
    page = (await web.owner.get("/")).text
    for text in ("sentiment-a", "InService", "/models/sentiment", "1.2 ms", "12 ms", "1,234"):
        assert text in page, text
    assert "5 failed" in page
    assert "(1 busy)" in page


async def test_the_last_problem_of_an_endpoint_is_in_its_row(web: WebBench) -> None:
    await serve(web, "broken", EditProblem("SyntaxError: <invalid>\nmore", "serve.py:3", ""))
    page = (await web.owner.get("/")).text
    assert "SyntaxError: &lt;invalid&gt;" in page
    assert "more" not in page.split("SyntaxError", 1)[1].split("</td>", 1)[0]


async def test_a_job_is_told_of_with_its_hosts(web: WebBench) -> None:
    await web.bench.create_job("fit-1")
    web.bench.move_job("fit-1", SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING)
    page = (await web.owner.get("/")).text
    assert 'href="/jobs/fit-1"' in page
    assert "InProgress" in page


async def test_what_happened_is_escaped(web: WebBench) -> None:
    await web.bench.host.notes.add("x", "<script>alert(1)</script>")
    page = (await web.owner.get("/")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("block", ["endpoints_table", "jobs_table", "events_feed", "machine"])
async def test_each_live_block_comes_alone(web: WebBench, block: str) -> None:
    await serve(web, "sentiment-a")
    answer = await web.owner.get("/", headers={FRAGMENT: block})
    assert answer.status_code == 200
    assert f'id="{block}"' in answer.text
    assert "<html" not in answer.text
    whole = (await web.owner.get("/")).text
    assert f'id="{block}"' in whole


async def test_more_endpoints_than_a_page_shows_have_a_next_page(web: WebBench) -> None:
    for number in range(51):
        await serve(web, f"e-{number:02}")
    first = (await web.owner.get("/")).text
    assert "e-49" in first
    assert "e-50" not in first
    link = first.split('href="/?after=', 1)[1].split('"', 1)[0]
    second = (await web.owner.get(f"/?after={link}")).text
    assert "e-50" in second
    assert "e-49" not in second


async def test_fifty_endpoints_are_rendered_in_under_a_tenth_of_a_second(web: WebBench) -> None:
    for number in range(50):
        await serve(web, f"endpoint-{number:02}")
    took = []
    for _ in range(5):
        began = time.perf_counter()
        answer = await web.owner.get("/")
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200
    print(f"first {took[0] * 1000:.0f} ms, then at best {min(took[1:]) * 1000:.0f} ms")
    assert min(took[1:]) < 0.1, took


async def test_a_page_that_there_is_not_says_so(web: WebBench) -> None:
    answer = await web.owner.get("/jobs/x/y/z")
    assert answer.status_code == 404
    assert "/jobs/x/y/z" in answer.text


async def test_about_tells_the_versions_and_the_licences(web: WebBench) -> None:
    page = (await web.owner.get("/about")).text
    for text in ("Sagelet", "Python", "starlette", "uPlot", "Permission is hereby granted"):
        assert text in page, text


def test_a_trend_without_requests_is_no_line() -> None:
    assert Trend(()).points == ""
    assert Trend((0.0, 0.0)).points == ""


def test_a_trend_goes_from_the_left_to_the_right_and_fits() -> None:
    trend = Trend((0.0, 10.0, 5.0))
    points = [tuple(map(float, point.split(","))) for point in trend.points.split()]
    assert [x for x, _ in points] == [0.0, 50.0, 100.0]
    assert [y for _, y in points] == [23.5, 0.5, 12.0]
    assert trend.label == "5 requests in this minute, at most 10 in one"
