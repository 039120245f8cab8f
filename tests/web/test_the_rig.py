"""The browser's fixtures themselves: what must fail a test does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults


def test_a_page_is_signed_in(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    expect(page.get_by_test_id("endpoints")).to_contain_text("text-classification")


def test_what_a_page_must_not_do_is_seen(page: Page, faults: Faults) -> None:
    page.goto("/")
    page.evaluate(
        """() => {
            console.error("a complaint");
            document.body.insertAdjacentHTML("beforeend", "<i style='color: red'>x</i>");
            setTimeout(() => { throw new Error("a thrown error"); });
            fetch("http://127.0.0.1:1/").catch(() => {});
        }"""
    )
    page.wait_for_timeout(100)
    for expected in ("a complaint", "a thrown error", "inline style", "connect-src|127.0.0.1:1"):
        before = len(faults.unexpected())
        faults.allow(expected)
        assert len(faults.unexpected()) < before, (expected, faults.seen)
    faults.allow("Fetch API cannot load")


def test_axe_fails_on_what_is_serious(page: Page, axe: Callable[[Page], None]) -> None:
    page.goto("/")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    with pytest.raises(AssertionError, match="label"):
        axe(page)


def test_a_visitor_is_shown_the_way_in(web: Web, a_page: Pages) -> None:
    page = a_page(web, signed_in=False)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
