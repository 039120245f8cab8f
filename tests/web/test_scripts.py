"""The small scripts of every page, one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

MORPHED = """
async ([before, after, act]) => {
    const { morph } = await import("/static/morph.js");
    const main = document.querySelector("main");
    main.innerHTML = before;
    const block = main.firstElementChild;
    const first = main.querySelector("[data-first]");
    if (act) new Function("main", act)(main);
    const to = new DOMParser().parseFromString(after, "text/html").body.firstElementChild;
    morph(block, to);
    return {
        html: main.innerHTML,
        isSame: first === main.querySelector("[data-first]"),
        focused: document.activeElement?.id ?? "",
        value: main.querySelector("input")?.value ?? null,
        isOpen: main.querySelector("details")?.open ?? null,
    };
}
"""


@pytest.fixture
def plain(page: Page) -> Page:
    """A page that nothing renews."""
    page.goto("/about")
    return page


def morphed(page: Page, before: str, after: str, act: str = "") -> dict[str, Any]:
    # `new Function` is not for pages; the debugger is let through.
    script = MORPHED if not act else MORPHED.replace('new Function("main", act)(main)', act)
    found: dict[str, Any] = page.evaluate(script, [before, after, act])
    return found


def test_a_block_becomes_what_the_server_says(plain: Page) -> None:
    before = "<div id='b' class='x'><p>one</p><p>two</p><i>gone</i></div>"
    after = '<div id="b" data-n="1"><p>one</p><b>new</b><p>three</p></div>'
    assert morphed(plain, before, after)["html"] == after


def test_rows_are_told_apart_by_their_keys(plain: Page) -> None:
    before = '<ul id="b"><li data-key="b" data-first="">B</li><li data-key="c">C</li></ul>'
    after = (
        '<ul id="b"><li data-key="a">A</li><li data-key="c">C2</li>'
        '<li data-key="b" data-first="">B</li></ul>'
    )
    found = morphed(plain, before, after)
    assert found["html"] == after
    assert found["isSame"]


def test_what_somebody_typed_opened_and_focused_stays(plain: Page) -> None:
    before = '<div id="b"><p>1</p><input id="i" value="old"><details>x</details></div>'
    found = morphed(
        plain,
        before,
        before.replace("<p>1", "<p>2"),
        "main.querySelector('input').focus(); main.querySelector('input').value = 'typed';"
        "main.querySelector('details').open = true",
    )
    assert "<p>2</p>" in found["html"]
    assert (found["focused"], found["value"], found["isOpen"]) == ("i", "typed", True)


def test_a_hidden_fields_new_value_is_taken_over(plain: Page) -> None:
    before = '<form id="b"><input type="hidden" name="n" value="1"></form>'
    assert morphed(plain, before, before.replace('"1"', '"2"'))["value"] == "2"


def test_a_custom_element_renews_itself_or_is_replaced(plain: Page) -> None:
    plain.evaluate(
        """() => customElements.define("x-self", class extends HTMLElement {
            renew(to) { this.textContent = "renewed to " + to.textContent; }
        })"""
    )
    before = "<div id='b'><x-self>1</x-self><x-other>1</x-other></div>"
    after = "<div id='b'><x-self>2</x-self><x-other>2</x-other></div>"
    html = morphed(plain, before, after)["html"]
    assert "<x-self>renewed to 2</x-self><x-other>2</x-other>" in html


def test_times_are_told_in_words(plain: Page) -> None:
    said = plain.evaluate(
        """async () => {
            const { enhance } = await import("/static/page.js");
            const main = document.querySelector("main");
            const ago = (s) => new Date(Date.now() - s * 1000).toISOString();
            const times = [2, 34, 90, 7300].map((s) => `<time datetime="${ago(s)}">x</time>`);
            main.innerHTML = times.join("") + '<time datetime="nonsense">x</time>'
                + `<time data-elapsed datetime="${ago(62)}">x</time>`;
            enhance(main);
            return [...main.querySelectorAll("time")].map((e) => e.textContent);
        }"""
    )
    assert said == ["just now", "30 s ago", "1 min ago", "2 h ago", "x", "1 min 2 s"]


def test_what_is_copied_is_what_the_selector_names_and_is_said(plain: Page) -> None:
    plain.evaluate(
        """() => {
            document.querySelector("main").innerHTML =
                '<pre id="it">sagelet <b>ui</b></pre><button data-copy="#it">Copy</button>';
        }"""
    )
    plain.get_by_role("button", name="Copy").click()
    expect(plain.get_by_role("button", name="Copied")).to_be_visible()
    expect(plain.get_by_role("status")).to_have_text("Copied")
    assert plain.evaluate("navigator.clipboard.readText()") == "sagelet ui"


def test_control_and_enter_run_the_form_of_the_page(plain: Page) -> None:
    plain.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.innerHTML = '<form data-run><textarea id="t"></textarea></form><p id="p"></p>';
            main.querySelector("form").addEventListener("submit", (event) => {
                event.preventDefault();
                document.querySelector("#p").textContent = "ran";
            });
        }"""
    )
    plain.locator("#t").press("Control+Enter")
    expect(plain.locator("#p")).to_have_text("ran")


def test_the_cells_of_a_table_know_their_columns(plain: Page) -> None:
    plain.evaluate(
        """async () => {
            const { enhance } = await import("/static/page.js");
            const main = document.querySelector("main");
            main.innerHTML = '<table class="data"><thead><tr><th>Name</th><th>Size</th></tr>'
                + "</thead><tbody><tr><td>a</td><td>1</td></tr></tbody></table>";
            enhance(main);
        }"""
    )
    expect(plain.get_by_role("cell").nth(1)).to_have_attribute("data-label", "Size")
