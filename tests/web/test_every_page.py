"""What holds for each page: it can be used by everybody, fits a phone, and is soon there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, Response, expect

from tests.web.conftest import Pages
from tests.web.pages import PAGES, Shown
from tests.web.served import Web
from tests.web.watched import Faults

FIRST_LOAD_BYTES = 150_000
PHONE_WIDTH = 320
OTHER_WIDTHS = (481, 768, 1100, 1440)
# A page that says that something is not there has the status for it.
STATUS = "status of 404"

each_page = pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)


def opened(page: Page, shown: Shown, names: Mapping[str, str], faults: Faults) -> Page:
    if shown.name == "not-found":
        faults.allow(STATUS)
    page.goto(shown.path.format(**names))
    expect(page.locator("main h1")).to_be_visible()
    return page


@each_page
def test_a_page_is_soon_there_fits_and_can_be_used_by_everybody(
    shown: Shown,
    web: Web,
    names: Mapping[str, str],
    a_page: Pages,
    axe: Callable[[Page], None],
    faults: Faults,
) -> None:
    page = a_page(web, signed_in=shown.is_owners)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    opened(page, shown, names, faults)
    page.wait_for_load_state("load")
    sizes = {a.url: loaded_bytes(a) for a in answers if "/api/v1/events" not in a.url}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
    expect(page.locator("h1")).to_have_count(1)
    assert page.title()
    axe(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 700})
    axe(page)
    for width in (PHONE_WIDTH, *OTHER_WIDTHS):
        page.set_viewport_size({"width": width, "height": 700})
        assert not sticking_out(page), width
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 700})
    assert not small_targets(page)


@each_page
def test_a_page_is_whole_without_scripts(
    shown: Shown, web: Web, names: Mapping[str, str], a_page: Pages, faults: Faults
) -> None:
    page = a_page(web, signed_in=shown.is_owners, scripts=False, width=PHONE_WIDTH)
    opened(page, shown, names, faults)
    assert page.locator("main").locator("a, button, p").locator("visible=true").count() > 0


def test_the_dashboard_can_be_walked_with_the_keyboard(
    web: Web, names: Mapping[str, str], page: Page
) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
                const at = document.activeElement;
                const seen = getComputedStyle(at);
                return [at.textContent.trim(), seen.outlineStyle, parseFloat(seen.outlineWidth)];
            }"""
        )
        if at[0] == "Sign out":
            break
        seen.append(at)
    assert names["endpoint"] in [text for text, _, _ in seen]
    assert all(style != "none" and width >= 2 for _, style, width in seen), seen


def loaded_bytes(answer: Response) -> int:
    sizes = answer.request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]


def small_targets(page: Page) -> list[str]:
    """Return what is pressed and smaller than 24 px either way.

    A label is part of its control; boxes to tick are 20 px, and have 2 px around them.
    """
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, summary, .tabs a, nav a")]
            .filter((e) => e.type !== "hidden" && e.offsetParent && !e.closest(".visually-hidden"))
            .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
            .map(([e, at]) => [e, Math.min(at.height, at.width), ["checkbox", "radio"]])
            .filter(([e, least, boxes]) => least < (boxes.includes(e.type) ? 20 : 24))
            .map(([e]) => e.outerHTML.slice(0, 120))"""
    )
    return found


def sticking_out(page: Page) -> list[str]:
    """Return what makes the page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll("body *")]
                .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
                .slice(-5).map((e) => e.outerHTML.slice(0, 150))"""
    )
    return found
