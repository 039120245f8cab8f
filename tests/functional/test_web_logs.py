"""The pages of logs, and the same as JSON, on a control plane with real log streams."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.web.log_pages import LogQuery, read_lines
from tests.web_bench import WebBench, a_web_bench

GROUP = "/aws/sagemaker/TrainingJobs"
FIRST, SECOND = "train-1/algo-1-1732240000", "train-1/algo-2-1732240000"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


def write(web: WebBench, *records: tuple[int, str], stream: str = FIRST) -> None:
    web.bench.logs.append(GROUP, stream, records)


async def lines(web: WebBench, **asked: Any) -> Sequence[str]:  # noqa: ANN401  a query's
    page = await read_lines(web.app.site.backend, LogQuery(GROUP, "train-1/", **asked))
    return [line.text for line in page.lines]


async def asked(web: WebBench, **parameters: str | int) -> dict[str, Any]:
    wanted = {"group": GROUP, "prefix": "train-1/", **parameters}
    answer = await web.owner.get("/api/v1/logs", params=wanted)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def test_the_last_lines_of_all_streams_are_in_order_of_time(web: WebBench) -> None:
    write(web, (1, "a"), (4, "d"), (5, "e"))
    write(web, (2, "b"), (3, "c"), stream=SECOND)
    write(web, (3, "another job's"), stream="train-10/algo-1-1732240000")
    assert await lines(web) == ["a", "b", "c", "d", "e"]
    assert await lines(web, limit=3) == ["c", "d", "e"]
    assert await lines(web, stream=SECOND) == ["b", "c"]


async def test_a_page_ends_where_what_can_be_read_at_once_of_a_stream_begins(web: WebBench) -> None:
    write(web, *((hour, f"long ago {hour}") for hour in range(500)), stream=SECOND)
    write(web, *((10**9 + number, f"{number} " + "x" * 3000) for number in range(2000)))
    page = await read_lines(web.app.site.backend, LogQuery(GROUP, "train-1/"))
    assert page.lines[-1].text.startswith("1999 ")
    assert page.lines[0].ms >= 10**9
    assert 100 < len(page.lines) <= 500
    assert page.older_ms == page.lines[0].ms
    before = await read_lines(
        web.app.site.backend, LogQuery(GROUP, "train-1/", end_ms=page.older_ms)
    )
    assert before.lines[-1].ms == page.older_ms - 1


async def test_a_page_has_no_more_pieces_than_a_browser_bears(web: WebBench) -> None:
    colours = "".join(f"\x1b[3{n % 8}m{n % 10}" for n in range(180))
    write(web, *((number, colours) for number in range(500)))
    page = await read_lines(web.app.site.backend, LogQuery(GROUP, "train-1/"))
    assert len(page.lines) == 500
    assert sum(len(line.spans) for line in page.lines) < 21_000
    assert {len(line.text) for line in page.lines} == {180}
    assert len(page.lines[0].spans) == len(page.lines[-1].spans)


async def test_pages_meet_without_a_line_lost_or_shown_twice(web: WebBench) -> None:
    times = [1, 2, 2, 2, 2, 3, 4, 4, 5, 6, 7, 7]
    write(web, *((ms, f"line {number}") for number, ms in enumerate(times)))
    seen: list[str] = []
    before: dict[str, int] = {}
    while True:
        page = await asked(web, limit=3, **before)
        seen = [line["text"] for line in page["lines"]] + seen
        if page["older"] is None:
            break
        before = {"before": page["older"]}
    assert seen == [f"line {number}" for number in range(len(times))]
    seen, after = [], {"after": 0}
    while True:
        page = await asked(web, limit=3, **after)
        seen += [line["text"] for line in page["lines"]]
        if page["newer"] is None:
            break
        after = {"after": page["newer"]}
    assert seen == [f"line {number}" for number in range(len(times))]


async def test_a_search_finds_the_last_lines_with_a_text(web: WebBench) -> None:
    write(web, *((ms, f'say "loss {ms % 2}"') for ms in range(10)))
    assert await lines(web, search='"loss 1"', limit=2) == ['say "loss 1"'] * 2
    page = await asked(web, q="loss 1", limit=2)
    assert [line["ms"] for line in page["lines"]] == [7, 9]
    assert page["older"] == 7
    assert page["is_partial"] is False
    page = await asked(web, q="loss 1", limit=2, before=7)
    assert [line["ms"] for line in page["lines"]] == [3, 5]


async def test_a_range_of_times_leaves_out_the_rest(web: WebBench) -> None:
    write(web, *((ms, str(ms)) for ms in range(10)))
    assert await lines(web, start_ms=3, end_ms=6) == ["3", "4", "5"]


async def test_a_log_that_is_not_there_has_no_lines(web: WebBench) -> None:
    assert await asked(web) == {"lines": [], "older": None, "newer": None, "is_partial": False}
    assert (await asked(web, stream="train-1/algo-9-1"))["lines"] == []


async def test_a_line_of_ten_megabytes_comes_cut(web: WebBench) -> None:
    write(web, (1, "before"), (2, "x" * 10_000_000), (3, "after"))
    newest = await asked(web)
    assert [line["text"] for line in newest["lines"]] == ["after"]
    (long,) = (await asked(web, before=newest["older"]))["lines"]
    assert (len(long["text"]), long["cut"]) == (16_000, 9_984_000)
    assert [line["text"] for line in (await asked(web, before=2))["lines"]] == ["before"]


async def test_styles_come_when_they_are_asked_for(web: WebBench) -> None:
    write(web, (1, "\x1b[31mred\x1b]8;;http://evil.example\x1b\\"))
    (line,) = (await asked(web, styled=1))["lines"]
    assert line["spans"] == [["red", "ansi-f1"]]
    (line,) = (await asked(web))["lines"]
    assert "spans" not in line


@pytest.mark.parametrize("wrong", [{"before": "soon"}, {"start": "-1"}, {"group": ""}])
async def test_what_is_no_question_is_refused(web: WebBench, wrong: dict[str, str]) -> None:
    answer = await web.owner.get("/api/v1/logs", params={"group": GROUP, **wrong})
    assert answer.status_code == 400


async def test_a_visitor_sees_no_log(web: WebBench) -> None:
    assert (await web.visitor.get("/api/v1/logs", params={"group": GROUP})).status_code == 401


ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/sentiment"
HOSTILE = "<script>alert(1)</script>\x1b]8;;javascript:alert(1)\x1b\\<img src=x onerror=alert(1)>"


async def an_endpoint_with_lines(web: WebBench, *messages: str) -> None:
    await web.bench.create_endpoint("sentiment", EndpointStatus.IN_SERVICE)
    records = [(1_000 + number, message) for number, message in enumerate(messages)]
    web.bench.logs.append(ENDPOINT_GROUP, "AllTraffic/01hx", records)


async def test_the_logs_tab_shows_the_last_lines_without_any_script(web: WebBench) -> None:
    await an_endpoint_with_lines(web, *(f"line {number}" for number in range(600)))
    page = (await web.owner.get("/endpoints/sentiment/logs")).text
    assert "line 599" in page
    assert "line 100<" in page
    assert "line 99<" not in page
    older = re.search(r'href="([^"]+)" rel="prev"', page)
    assert older is not None
    page = (await web.owner.get(html.unescape(older[1]))).text
    assert "line 99<" in page
    assert "line 100<" not in page
    assert 'rel="next"' in page


async def test_an_endpoint_is_found_whatever_the_case_of_its_name(web: WebBench) -> None:
    await an_endpoint_with_lines(web, "hello")
    assert "hello" in (await web.owner.get("/endpoints/SENTIMENT/logs")).text


async def test_what_a_line_says_is_text_and_never_a_link_or_an_element(web: WebBench) -> None:
    await an_endpoint_with_lines(web, HOSTILE, "\x1b[31;1mred\x1b[0m", "a\udc80b")
    page = (await web.owner.get("/endpoints/sentiment/logs")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    assert "javascript:" not in page
    assert '<span class="ansi-bold ansi-f1">red</span>' in page


async def test_a_search_needs_no_script(web: WebBench) -> None:
    await an_endpoint_with_lines(web, "loss 1", "other", "loss 2")
    page = (await web.owner.get("/endpoints/sentiment/logs", params={"q": "loss"})).text
    assert "loss 1" in page
    assert ">other<" not in page
    page = (await web.owner.get("/endpoints/sentiment/logs", params={"q": '"><b>'})).text
    assert "No line has" in page
    assert '"><b>' not in page


async def test_a_whole_log_is_downloaded_as_a_file(web: WebBench) -> None:
    await an_endpoint_with_lines(web, *("x" * 200_000 for _ in range(12)), "\r10%", "last")
    answer = await web.owner.get("/endpoints/sentiment/log.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="sentiment.log"')
    lines = answer.text.splitlines()
    assert len(lines) == 13
    assert lines[-1] == "1970-01-01T00:00:01.013+00:00 AllTraffic last"


async def test_an_endpoint_without_a_log_has_an_empty_one(web: WebBench) -> None:
    await web.bench.create_endpoint("sentiment", EndpointStatus.IN_SERVICE)
    page = await web.owner.get("/endpoints/sentiment/logs")
    assert "Nothing has been written yet" in page.text
    assert (await web.owner.get("/endpoints/sentiment/log.txt")).text == ""
    assert (await web.owner.get("/endpoints/nobody/logs")).status_code == 404
    assert (await web.visitor.get("/endpoints/sentiment/log.txt")).status_code == 303
