"""Pages that stay true while they are open: changes, broken edits, a daemon that goes and comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults

PATIENCE_MS = 20_000


def test_a_new_endpoint_shows_up_on_an_open_dashboard(web: Web, page: Page) -> None:
    page.goto("/")
    row = page.get_by_role("row").filter(has_text="second-endpoint")
    expect(row).to_have_count(0)
    with web.local.deployed("second-endpoint", web.folder):
        expect(row.locator(".pill")).to_have_text("InService", timeout=PATIENCE_MS)
        expect(page.get_by_role("status")).to_contain_text("second-endpoint: InService")
    expect(row).to_have_count(0, timeout=PATIENCE_MS)


def test_a_broken_edit_is_shown_while_the_last_version_answers_and_goes_with_its_mend(
    web: Web, page: Page
) -> None:
    page.goto(f"/endpoints/{web.name}/logs")
    overlay = page.get_by_test_id("reload-problem")
    expect(overlay).to_have_count(0)
    good = web.handlers.read_text()
    try:
        web.handlers.write_text(good.replace("def predict_fn(texts, model):", "def predict_fn(:"))
        expect(overlay).to_be_visible(timeout=PATIENCE_MS)
        line = good[: good.index("def predict_fn")].count("\n") + 1
        expect(overlay.get_by_test_id("edit-where")).to_contain_text(f"inference.py:{line}")
        expect(overlay).to_contain_text("SyntaxError")
        expect(overlay).to_contain_text("The last good version answers")
        assert "probabilities" in web.local.invoke(web.name, b'[["still here"]]')
    finally:
        web.handlers.write_text(good)
    expect(overlay).to_have_count(0, timeout=PATIENCE_MS)


def test_a_page_says_that_its_endpoint_has_been_deleted(
    web: Web, page: Page, faults: Faults
) -> None:
    faults.allow("status of 404")
    with web.local.deployed("short-lived", web.folder):
        page.goto("/endpoints/short-lived/config")
        expect(page.locator("h1 + .pill")).to_have_text("InService")
    banner = page.get_by_test_id("reconnecting")
    expect(banner).to_contain_text("has been deleted", timeout=PATIENCE_MS)


def test_an_open_page_goes_on_under_the_next_daemon(
    own_web: Web, a_page: Pages, faults: Faults
) -> None:
    faults.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|status of 503")
    page = a_page(own_web)
    page.goto("/")
    port = own_web.local.place[1]
    banner = page.get_by_test_id("reconnecting")
    own_web.local.sagelet("down")
    expect(banner).to_contain_text("restarting", timeout=PATIENCE_MS)
    own_web.local.sagelet("up", "--port", str(port))
    expect(banner).to_have_count(0, timeout=PATIENCE_MS)
    pill = page.get_by_test_id("endpoints").locator(".pill")
    expect(pill).to_have_text("InService", timeout=PATIENCE_MS)


def test_a_hidden_page_that_is_shown_again_has_missed_nothing(web: Web, page: Page) -> None:
    page.goto("/")
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {value: true, configurable: true});
            dispatchEvent(new Event("pagehide"));
        }"""
    )
    row = page.get_by_role("row").filter(has_text="while-hidden")
    with web.local.deployed("while-hidden", web.folder):
        expect(row).to_have_count(0)
        page.evaluate(
            """() => {
                delete document.hidden;
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        expect(row.locator(".pill")).to_have_text("InService", timeout=PATIENCE_MS)


@pytest.mark.full  # it is noticed when the page next asks for something
def test_an_open_page_says_that_its_browser_is_no_longer_signed_in(
    page: Page, faults: Faults
) -> None:
    faults.allow("status of 401")
    page.goto("/")
    other = page.context.new_page()
    other.goto("/about")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")
    banner = page.get_by_test_id("reconnecting")
    expect(banner).to_contain_text("no longer signed in", timeout=PATIENCE_MS)
