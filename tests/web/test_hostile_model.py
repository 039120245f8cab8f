"""A model whose texts are all markup that would run: every page shows it as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.web.article import a_model_folder
from tests.web.served import Web
from tests.web.watched import Faults

NAME = "hostile"
TAG = "<img src=x onerror=alert(1)>"
CORPUS = (
    TAG,
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "</script><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "\u202e\u2066right to left\u2069",
    "\x1b]0;title\x07\x1b[31mred\x1b[0m",
)
README = f"""# {TAG}

{TAG} [a link](javascript:alert(1)) ![a picture](http://127.0.0.1:1/x.png)

<iframe srcdoc="<script>alert(1)</script>"></iframe>
"""
TABS = ("", "/api", "/metrics", "/logs", "/history")


@pytest.fixture(scope="module")
def hostile(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """An endpoint whose labels, examples, description, output and file names are the corpus."""
    folder = a_model_folder(tmp_path_factory.mktemp("hostile") / "model")
    words = {text: {"x": 1.0} for text in CORPUS}
    (folder / "words.json").write_text(json.dumps(words))
    code = folder / "code"
    (code / "README.md").write_text(README)
    (code / "examples" / "a name <img src=x onerror=alert(1)>.json").write_text(
        json.dumps([[text] for text in CORPUS])
    )
    handlers = (code / "inference.py").read_text()
    (code / "inference.py").write_text(
        handlers.replace(
            'print(f"classifying {len(texts)} texts")', "[print(label) for label in model]"
        )
    )
    web.local.deploy(NAME, folder)
    web.local.wait_in_service(NAME)
    yield Web(web.local, folder, NAME)
    web.local.remove_endpoint(NAME)


SUSPECTS = """
() => [...document.querySelectorAll("body *")]
    .filter((e) =>
        [...e.attributes].some(({ name, value }) =>
            name.startsWith("on")
            || (["href", "src", "action", "formaction"].includes(name)
                && /^\\s*javascript:/i.test(value)))
        || (e.localName === "img" && e.getAttribute("src") === "x")
        || (e.localName === "script" && e.textContent.startsWith("alert")))
    .map((e) => e.outerHTML.slice(0, 200))
"""


def assert_inert(page: Page) -> None:
    assert page.evaluate(SUSPECTS) == []


def test_nothing_of_a_hostile_model_runs_on_any_page(
    hostile: Web, page: Page, faults: Faults, tmp_path: Path
) -> None:
    dialogs: list[str] = []

    def opened(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", opened)
    body = json.dumps([[text] for text in CORPUS]).encode()
    answer = hostile.local.invoke(NAME, body)
    assert TAG in json.loads(answer)[0]["probabilities"]
    for tab in TABS:
        page.goto(f"/endpoints/{NAME}{tab}")
        expect(page.locator("main h1")).to_have_text(NAME)
        assert_inert(page)
    page.goto(f"/endpoints/{NAME}")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("result")).to_contain_text(TAG)
    assert_inert(page)
    good = hostile.handlers.read_text()
    try:
        hostile.handlers.write_text(good + f"\nraise ValueError({TAG!r})\n")
        problem = page.get_by_test_id("reload-problem")
        expect(problem).to_contain_text(TAG, timeout=20_000)
        assert_inert(page)
        page.goto("/")
        expect(page.get_by_test_id("events")).to_contain_text(TAG)
        assert_inert(page)
    finally:
        hostile.handlers.write_text(good)
    assert dialogs == []
