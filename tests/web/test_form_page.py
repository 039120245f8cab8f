"""The predict form in a browser: rows, the raw body, a grid, the keyboard, and no scripts."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.conftest import Pages
from tests.web.served import Web


def open_form(page: Page, web: Web, query: str = "") -> None:
    page.goto(f"/endpoints/{web.name}{query}")


def test_a_row_is_added_and_is_in_the_body(page: Page, web: Web) -> None:
    open_form(page, web, "?ex=wimbledon")
    page.get_by_test_id("add-row").click()
    page.keyboard.type('a "new" row')
    expect(page.get_by_test_id("body")).to_have_value(
        '[["The Wimbledon tennis tournament starts next week!"], ["a \\"new\\" row"]]\n'
    )
    page.get_by_role("button", name="Remove row 1").click()
    expect(page.get_by_test_id("body")).to_have_value('[["a \\"new\\" row"]]\n')
