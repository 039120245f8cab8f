"""The Metrics and History tabs and the settings in a browser: live, and nothing runs by a link."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.web.article import BODY
from tests.web.conftest import Pages
from tests.web.served import Web


def calls_of(web: Web) -> int:
    """Return how many requests the endpoint has answered."""
    status, body = web.signed("GET", f"/api/v1/endpoints/{web.name}")
    assert status == 200, body
    (variant,) = json.loads(body)["variants"]
    return int(variant["requests"])


def test_a_call_appears_by_itself_and_fills_the_form_in(web: Web, page: Page) -> None:
    web.local.sagelet("history", "clear", web.name, "-y")
    page.goto(f"/endpoints/{web.name}/history")
    expect(page.get_by_text("No calls yet.")).to_be_visible()
    web.local.invoke(web.name, BODY)
    call = page.get_by_test_id("call")
    expect(call).to_have_count(1)
    before = calls_of(web)
    call.get_by_test_id("fill-in").click()
    expect(page).to_have_url(re.compile(r"\?call=\w{26}$"))
    expect(page.get_by_test_id("run")).to_be_visible()
    expect(page.get_by_text("Nothing has run yet.")).to_be_visible()
    assert calls_of(web) == before


def test_a_call_is_run_again_and_compared(web: Web, page: Page) -> None:
    web.local.sagelet("history", "clear", web.name, "-y")
    web.local.invoke(web.name, BODY)
    page.goto(f"/endpoints/{web.name}/history")
    page.get_by_role("button", name="Run again").first.click()
    expect(page.get_by_test_id("compared")).to_contain_text("The answers are the same")
    page.get_by_role("link", name="Back to the list").click()
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Compare the two chosen").click()
    expect(page.get_by_test_id("compared")).to_contain_text("The answers are the same")


def test_charts_are_drawn_and_their_tables_stay(web: Web, page: Page) -> None:
    web.local.invoke(web.name, BODY)
    page.goto(f"/endpoints/{web.name}/metrics")
    chart = page.get_by_test_id("chart-model-latency")
    expect(chart.locator("canvas")).to_be_visible()
    chart.get_by_text("Values of Model latency").click()
    expect(chart.get_by_role("columnheader", name="p99")).to_be_visible()
    page.get_by_role("link", name="1 hour").click()
    expect(page.get_by_role("link", name="1 hour")).to_have_attribute("aria-current", "page")
    expect(page.get_by_test_id("chart-invocations")).to_contain_text("in the last 1 hour")


def test_without_scripts_a_theme_is_chosen_all_the_same(web: Web, a_page: Pages) -> None:
    page = a_page(web, scripts=False)
    page.goto("/settings")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Use").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
