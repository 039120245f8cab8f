"""The public page in a browser, at the public listener: with scripts and without, on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.web.article import LABELS
from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.shown import SLUG
from tests.web.watched import Faults

PHONE_WIDTH = 320
EXAMPLE = "wimbledon"


@dataclass(frozen=True)
class Listener(Web):
    """The public listener of a daemon, as the origin that pages are at."""

    url: str = ""

    @property
    def address(self) -> str:
        return self.url

    def share(self, access: str) -> None:
        daemon = Web(self.local, self.folder)
        body = json.dumps({"access": access, "slug": SLUG, "per_minute": 1000}).encode()
        status, said = daemon.signed("PUT", f"/api/v1/publications/{self.name}", body)
        assert status == 200, said


@pytest.fixture(scope="module")
def listener(web: Web) -> Iterator[Listener]:
    body = json.dumps({"address": "127.0.0.1:0"}).encode()
    status, said = web.signed("POST", "/api/v1/public-listener", body)
    assert status == 201, said
    listener = Listener(web.local, web.folder, url=json.loads(said)["url"])
    yield listener
    listener.share("open")  # as the suite's other tests have it
    web.signed("DELETE", "/api/v1/public-listener")


def opened(page: Page) -> Page:
    page.goto(f"/p/{SLUG}")
    expect(page.get_by_test_id("title")).to_be_visible()
    return page


def fits(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return wide


def test_an_example_is_run_and_shows_bars(
    listener: Listener, a_page: Pages, axe: Callable[[Page], None]
) -> None:
    listener.share("open")
    page = opened(a_page(listener, signed_in=False))
    page.get_by_label("Example").select_option(EXAMPLE)
    page.get_by_role("button", name="Fill in").click()
    page.get_by_test_id("run").first.click()
    bars = page.locator(".bar-label")
    expect(bars).to_have_count(len(LABELS))
    assert page.url.endswith(f"/p/{SLUG}?ex={EXAMPLE}")
    expect(page.get_by_test_id("waterfall")).to_have_count(0)
    expect(page.get_by_test_id("request-log")).to_have_count(0)
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert page.context.cookies() == []
    axe(page)
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 700})
    axe(page)
    assert fits(page)


def test_without_scripts_it_runs_as_well(listener: Listener, a_page: Pages) -> None:
    listener.share("open")
    page = opened(a_page(listener, signed_in=False, scripts=False, width=PHONE_WIDTH))
    page.get_by_label("Example").select_option(EXAMPLE)
    page.get_by_role("button", name="Fill in").click()
    page.locator("[data-run] [data-testid=run]").click()
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))
    assert page.url == f"{listener.url}/p/{SLUG}/run"
    page.reload()
    expect(page.get_by_test_id("title")).to_be_visible()


def test_a_key_is_kept_while_the_window_is_open_and_in_no_address(
    listener: Listener, web: Web, a_page: Pages, faults: Faults
) -> None:
    listener.share("key")
    body = json.dumps({"name": "guest", "endpoints": [web.name]}).encode()
    key = json.loads(web.signed("POST", "/api/v1/keys", body)[1])["key"]
    faults.allow("status of 401")
    page = opened(a_page(listener, signed_in=False))
    run = page.locator("[data-run] [data-testid=run]")
    page.get_by_test_id("api-key").fill("sgl_live_wrong")
    run.click()
    expect(page.get_by_test_id("run-problem")).to_contain_text("there is no such API key")
    page.get_by_test_id("api-key").fill(key)
    page.goto(f"/p/{SLUG}?ex={EXAMPLE}")
    expect(page.get_by_test_id("api-key")).to_have_value(key)
    run.click()
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))
    assert key not in page.url
    assert page.context.cookies() == []
    another = opened(a_page(listener, signed_in=False))
    expect(another.get_by_test_id("api-key")).to_have_value("")
