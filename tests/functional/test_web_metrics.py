"""The Metrics tab of an endpoint: charts as tables, a sentence each, markers, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Timing
from sagelet.hosting.metering import Meter
from sagelet.journal.series import Sample
from tests.web_bench import WebBench, a_web_bench

METRICS = "/endpoints/sentiment/metrics"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        await bench.bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
        bench.bench.metrics.endpoints.open("sentiment", tmp_path / "endpoints" / "1")
        yield bench


def measure(web: WebBench, *, seconds_ago: float = 30) -> None:
    """Have an endpoint answer four times, once badly."""
    at = web.bench.clock.now() - timedelta(seconds=seconds_ago)
    ms = round(at.timestamp() * 1000)
    variant = web.bench.metrics.endpoints.of("sentiment", "AllTraffic")
    meter = Meter(variant)
    for status, total_ms in ((200, 2.0), (200, 2.0), (200, 2.0), (500, 400.0)):
        meter.count(status, Timing(0.5, {}, total_ms))
    meter.fold(ms)
    variant.add(ms, {"CPUUtilization": Sample.of(ms, 42.0)})


def of_chart(page: str, key: str) -> str:
    return page.split(f'data-testid="chart-{key}"')[1].split("</section>")[0]


async def test_an_endpoint_that_nobody_has_asked_says_so(web: WebBench) -> None:
    page = (await web.owner.get(METRICS)).text
    assert "Nothing was measured in the last 5 minutes." in page


async def test_each_chart_is_a_table_and_a_sentence(web: WebBench) -> None:
    measure(web)
    page = (await web.owner.get(METRICS)).text
    assert "4 in the last 5 minutes, at most 4 in 10 s." in of_chart(page, "invocations")
    assert "1 in the last 5 minutes, at most 1 in 10 s." in of_chart(page, "errors")
    latency = of_chart(page, "model-latency")
    assert all(f'<th scope="col" dir="auto">{p}</th>' in latency for p in ("p50", "p90", "p99"))
    assert "p99 400 ms in the last 5 minutes." in latency
    assert "42" in of_chart(page, "cpu")


async def test_seconds_in_which_nobody_asked_count_nothing(web: WebBench) -> None:
    measure(web)
    rows = of_chart((await web.owner.get(METRICS)).text, "invocations").count("<tr>")
    assert rows == 1 + 31  # a head, and five minutes of ten seconds with both ends


@pytest.mark.parametrize(("key", "is_there"), [("5m", False), ("1h", True), ("24h", True)])
async def test_a_range_can_be_chosen(web: WebBench, key: str, is_there: bool) -> None:
    measure(web, seconds_ago=1800)
    page = (await web.owner.get(f"{METRICS}?range={key}")).text
    assert ("4 in the last" in page) == is_there
    assert f'<a href="?range={key}" aria-current="page">' in page


async def test_any_other_range_is_the_shortest(web: WebBench) -> None:
    page = (await web.owner.get(f"{METRICS}?range=<script>")).text
    assert '<a href="?range=5m" aria-current="page">' in page


async def test_reloads_are_markers(web: WebBench) -> None:
    measure(web)
    await web.bench.host.notes.add("sentiment", "reloaded <b>serve.py</b> in 6 ms (model kept)")
    await web.bench.host.notes.add("other", "reloaded other.py")
    page = (await web.owner.get(METRICS)).text
    assert "reloaded &lt;b&gt;serve.py" in page
    assert "other.py" not in page
    assert 'data-markers="[{&#34;at&#34;: 1767323045.0' in page


async def test_the_charts_are_a_block_of_their_own(web: WebBench) -> None:
    measure(web)
    block = (await web.owner.get(METRICS, headers={"x-fragment": "metrics"})).text
    assert block.lstrip().startswith('<div id="metrics"')
    assert "4 in the last 5 minutes" in block


async def test_the_points_are_there_as_csv(web: WebBench) -> None:
    measure(web)
    answer = await web.owner.get("/endpoints/sentiment/metrics.csv?range=1h")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    latency = [row for row in rows if row["metric"] == "ModelLatency" and row["statistic"] == "p99"]
    assert [(row["variant"], row["unit"]) for row in latency] == [("AllTraffic", "ms")]
    assert float(latency[0]["value"]) == pytest.approx(399.5)


async def test_there_are_no_metrics_of_what_there_is_not(web: WebBench) -> None:
    for path in ("/endpoints/none/metrics", "/endpoints/none/metrics.csv"):
        assert (await web.owner.get(path)).status_code == 404
