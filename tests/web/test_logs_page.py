"""The log of an endpoint in a browser: long, growing, hostile, and led to by an address."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sagelet.journal.streams import LogStreams
from tests.web.served import Web

LINES = 10_000
LONG_TASK_MS = 50
BEGUN_MS = 1_760_000_000_000


@dataclass
class Chatty:
    """An endpoint's log that tests write to."""

    web: Web
    name: str

    @property
    def path(self) -> str:
        return f"/endpoints/{self.name}/logs"

    def write(self, *messages: str, ms: int | None = None, stream: str = "Written/01test") -> None:
        at = round(time.time() * 1000) if ms is None else ms
        logs = LogStreams(self.web.local.home.logs)
        records = [(at + number, message) for number, message in enumerate(messages)]
        logs.append(f"/aws/sagemaker/Endpoints/{self.name}", stream, records)


@pytest.fixture
def chatty(web: Web, request: pytest.FixtureRequest) -> Iterator[Chatty]:
    """An endpoint of the test's own, which says nothing by itself that matters."""
    name = "chatty"
    with web.local.deployed(name, web.folder):
        yield Chatty(web, name)
    web.local.client("logs").delete_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")


def lines_of(page: Page) -> Locator:
    return page.get_by_role("log").locator(".log-line")


def test_ten_thousand_lines_scroll_without_a_long_task(
    chatty: Chatty, page: Page, browser: Browser
) -> None:
    texts = (
        f"\x1b[3{n % 8}mstep\x1b[0m {n} loss={1 / (n + 1):.4f} {'w' * (n % 180)}"
        for n in range(LINES)
    )
    chatty.write(*texts, ms=BEGUN_MS)
    page.goto(chatty.path)
    expect(page.get_by_test_id("log")).to_have_attribute("data-live", "")
    page.evaluate(
        """() => {
            window.tasks = [];
            new PerformanceObserver((list) => {
                for (const each of list.getEntries()) window.tasks.push(each.duration);
            }).observe({type: "longtask"});
        }"""
    )
    browser.start_tracing(page=page, categories=["toplevel"])
    # To the beginning, all of which is fetched on the way, and half of it down again.
    took_ms = page.evaluate(
        """async ([wanted]) => {
            const log = document.querySelector("log-tail");
            const lines = log.querySelector(".log-lines");
            const frame = () => new Promise(requestAnimationFrame);
            const begun = performance.now();
            while (Number(log.dataset.lines) < wanted && performance.now() - begun < 20000) {
                lines.scrollTop = 0;
                await frame();
            }
            for (let n = 0; n < 200; n += 1) {
                lines.scrollTop += 700;
                await frame();
            }
            return performance.now() - begun;
        }""",
        [LINES],
    )
    busy_ms = longest_task_ms(browser.stop_tracing())
    assert int(page.get_by_test_id("log").get_attribute("data-lines") or 0) >= LINES
    assert lines_of(page).count() < 100
    seen_ms = max(page.evaluate("() => window.tasks"), default=0)
    print(
        f"{LINES} lines in {took_ms:.0f} ms; the longest task: {busy_ms:.0f} ms of the processor, "
        f"{seen_ms:.0f} ms by the clock (0: no long one)"
    )
    # By the processor's time: on a busy machine the clock counts what others do, too.
    assert busy_ms <= LONG_TASK_MS


def longest_task_ms(trace: bytes) -> float:
    """Return how long the page's thread was busy at most with one task."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["tdur"] / 1000
        for event in events
        if (event["pid"], event["tid"]) in threads
        and "RunTask" in event["name"]
        and "tdur" in event
    ]
    assert len(tasks) > 1000, "the trace tells of no tasks"
    return float(max(tasks))


def test_a_log_grows_while_it_is_looked_at_and_rests_while_one_reads(
    chatty: Chatty, page: Page
) -> None:
    chatty.write(*(f"line {n}" for n in range(300)))
    page.goto(chatty.path)
    chatty.write("the newest of all")
    newest = page.get_by_text("the newest of all")
    expect(newest).to_be_in_viewport()
    log = page.get_by_role("log")
    log.focus()
    page.keyboard.press("Home")
    expect(page.get_by_label("Follow")).not_to_be_checked()
    first = page.get_by_text("line 5", exact=True)
    expect(first).to_be_in_viewport()
    chatty.write("written meanwhile")
    expect(page.get_by_test_id("log").locator("output")).to_contain_text("not following")
    expect(first).to_be_in_viewport()
    page.get_by_label("Follow").check()
    expect(page.get_by_text("written meanwhile")).to_be_in_viewport()


def test_lines_are_searched_and_filtered_where_they_are(chatty: Chatty, page: Page) -> None:
    chatty.write("all is well", "WARNING: slow", "ERROR: \x1b[31mred\x1b[0m lost", "all is done")
    page.goto(chatty.path)
    search = page.get_by_label("Search in the log")
    search.fill("ALL IS")
    expect(lines_of(page)).to_have_count(2)
    expect(page.locator("mark").first).to_have_text("all is")
    search.fill("")
    page.get_by_label("Level").select_option("Errors")
    expect(lines_of(page)).to_have_count(1)
    expect(lines_of(page).locator(".ansi-f1")).to_have_text("red")
    page.get_by_label("Level").select_option("Warnings and errors")
    expect(lines_of(page)).to_have_count(2)
    search.fill("slow")
    search.press("Enter")
    page.wait_for_url("**/logs?q=slow**")
    expect(lines_of(page)).to_have_count(1)


def test_an_address_leads_to_the_lines_of_a_time(chatty: Chatty, page: Page) -> None:
    chatty.write(*(f"line {n}" for n in range(3000)), ms=BEGUN_MS)
    page.goto(f"{chatty.path}#t={BEGUN_MS + 700},{BEGUN_MS + 702}")
    expect(page.locator(".log-line[data-target]")).to_have_count(3)
    expect(page.get_by_text("line 701", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Link to these lines").click()
    assert "#t=" in page.url
    page.get_by_label("Follow").check()
    expect(page.get_by_text("line 2999", exact=True)).to_be_in_viewport()


def test_a_window_of_another_height_goes_on_following(chatty: Chatty, page: Page) -> None:
    chatty.write(*(f"line {n}" for n in range(60)))
    page.goto(chatty.path)
    last = page.get_by_text("line 59", exact=True)
    expect(last).to_be_in_viewport()
    for height in (2500, 700):
        page.set_viewport_size({"width": 1280, "height": height})
        page.get_by_role("log").scroll_into_view_if_needed()
        expect(last).to_be_in_viewport()
        expect(page.get_by_label("Follow")).to_be_checked()


def test_a_hostile_line_is_text_and_a_long_one_is_cut(chatty: Chatty, page: Page) -> None:
    chatty.write(
        "<img src=x onerror=alert(1)>\x1b]8;;javascript:alert(1)\x07 \u202egnp.exe",
        "x" * 3_000_000,
        "a last line",
    )
    page.goto(chatty.path)
    page.get_by_role("log").focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.get_by_text("2,984,000 more characters")).to_have_count(1)
    page.keyboard.press("End")
    expect(page.locator(".log-state")).to_contain_text(" · following")
    chatty.write("<script>alert(1)</script>")
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    page.get_by_label("Wrap").uncheck()
    expect(page.get_by_role("log")).to_have_attribute("data-wrap", "off")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
