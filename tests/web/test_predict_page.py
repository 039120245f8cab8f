"""The Predict tab in a browser: from the example to the answer, and what happens when it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws
from tests.web.article import BODY, LABELS, a_model_folder
from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults

ROUGH = """
import os, signal, time


def predict_fn(texts, model):
    if texts == ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    while texts == ["wait"] and not Path(__file__).parent.with_name("go").exists():
        time.sleep(0.01)
    if isinstance(texts[0], dict):
        return texts[0]["answer"]
    return [classify(text, model) for text in texts]
"""


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A daemon of this module's own, whose model can be killed, and can be made to wait."""
    root = tmp_path_factory.mktemp("rough")
    local = LocalAws(Home(root / "home"))
    local.sagelet("up", "--port", "0")
    rough = Web(local, a_model_folder(root / "model"))
    rough.handlers.write_text(rough.handlers.read_text() + ROUGH)
    local.deploy(rough.name, rough.folder)
    local.wait_in_service(rough.name)
    yield rough
    local.sagelet("down")


def opened(page: Page, web: Web, more: str = "") -> Page:
    page.goto(f"/endpoints/{web.name}{more}")
    expect(page.get_by_test_id("run")).to_be_visible()
    return page


def shares(page: Page) -> list[float]:
    """Return the exact numbers of the first result's bars, in their order."""
    bars = page.get_by_test_id("row").first.locator(".bar-share")
    return [float(each.get_attribute("value") or "nan") for each in bars.all()]


def body_of(page: Page, text: str) -> None:
    """Put a text into the raw editor, as a person does."""
    page.locator("[name='body.raw']").fill(text)


def ran(page: Page) -> None:
    expect(page.get_by_test_id("run-status")).to_be_visible()


def test_the_example_is_chosen_and_run_and_the_answer_has_bars_and_phrases(
    web: Web, page: Page, axe: Callable[[Page], None]
) -> None:
    opened(page, web)
    page.get_by_label("Example").select_option("wimbledon")
    page.get_by_role("button", name="Fill in").click()
    expect(page).to_have_url(re.compile("ex=wimbledon"))
    expect(page.get_by_test_id("run-status")).to_have_count(0)
    page.get_by_test_id("run").click()
    ran(page)
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))
    numbers = shares(page)
    assert numbers == sorted(numbers, reverse=True)
    assert sum(numbers) == pytest.approx(1, abs=0.01)
    expect(page.locator(".gram").first).to_be_visible()
    expect(page.get_by_test_id("highlighted")).to_have_text(re.compile("Wimbledon tennis"))
    expect(page.get_by_test_id("waterfall")).to_contain_text("predict_fn")
    expect(page.get_by_test_id("request-log")).to_contain_text("classifying 1 texts")
    expect(page.get_by_test_id("run")).to_be_focused()
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page)


def test_a_model_is_run_by_the_keyboard_alone(web: Web, page: Page) -> None:
    opened(page, web, "?ex=wimbledon")
    page.keyboard.press("Control+Enter")
    ran(page)
    run = page.get_by_test_id("run")
    run.focus()
    page.get_by_test_id("run-status").evaluate("element => element.remove()")
    page.keyboard.press("Enter")
    ran(page)
    expect(run).to_be_focused()


def test_on_a_phone_the_result_comes_into_view(web: Web, a_page: Pages) -> None:
    page = opened(a_page(web, width=320), web, "?ex=wimbledon")
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("run-status")).to_be_in_viewport()


def test_it_runs_without_scripts(web: Web, a_page: Pages) -> None:
    page = opened(a_page(web, scripts=False, width=320), web, "?ex=wimbledon")
    page.get_by_test_id("run").click()
    ran(page)
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))
    assert sum(shares(page)) == pytest.approx(1, abs=0.01)
    expect(page.get_by_test_id("run")).to_be_visible()


def test_a_shared_link_fills_the_form_and_runs_nothing(web: Web, page: Page, a_page: Pages) -> None:
    opened(page, web)
    text = '[["A link <b>with</b> \\u00fcmlauts and \\"quotes\\""]]'
    body_of(page, text)
    page.get_by_test_id("share").click()
    expect(page.get_by_test_id("share")).to_have_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "#s=" in link
    other = a_page(web)
    asked: list[str] = []
    other.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    other.goto(link)
    expect(other.locator("[name='body.raw']")).to_have_value(text)
    assert not [each for each in asked if each.startswith("POST") or "#s=" in each], asked
    expect(other.get_by_test_id("run-status")).to_have_count(0)
    other.get_by_test_id("run").click()
    ran(other)
    expect(other.get_by_test_id("row")).to_contain_text("A link <b>with</b> ümlauts")


def test_a_second_run_is_compared_and_its_parts_are_at_hand(web: Web, page: Page) -> None:
    opened(page, web)
    for text in ("first text", "another next week"):
        body_of(page, f'[["{text}"]]')
        page.get_by_test_id("run").click()
        expect(page.get_by_test_id("row")).to_contain_text(text)
    page.get_by_test_id("since").locator("summary").first.click()
    expect(page.get_by_test_id("difference")).to_contain_text("The payloads differ, too.")
    page.get_by_test_id("raw").locator("summary").click()
    expect(page.get_by_test_id("raw-answer")).to_contain_text('"probabilities"')
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert b"probabilities" in download.value.path().read_bytes()


def test_an_error_of_the_model_shows_its_place_and_the_users_frames(
    web: Web, page: Page, axe: Callable[[Page], None]
) -> None:
    opened(page, web)
    body_of(page, '[{"<img src=x onerror=alert(1)>": 1}]')
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("failure")).to_contain_text("input_fn")
    expect(page.get_by_test_id("where")).to_contain_text("inference.py:")
    expect(page.get_by_test_id("traceback")).to_contain_text("KeyError")
    expect(page.get_by_test_id("run-message")).to_contain_text("failed")
    axe(page)


def test_a_worker_that_is_killed_fails_one_run_and_the_next_is_answered(
    rough: Web, a_page: Pages
) -> None:
    page = opened(a_page(rough), rough)
    body_of(page, '[["die"]]')
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("failure")).to_be_visible()
    expect(page.get_by_test_id("hint")).to_contain_text("killed")
    body_of(page, BODY.decode())
    page.get_by_test_id("run").click()
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))


def answered(page: Page, answer: object) -> None:
    """Run, so that the model answers this."""
    body_of(page, json.dumps([[{"answer": answer}]]))
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("run-message")).to_contain_text("answered")


def test_answers_of_other_shapes_are_shown_and_can_be_worked_with(
    rough: Web, a_page: Pages, axe: Callable[[Page], None]
) -> None:
    page = opened(a_page(rough), rough)
    answered(page, [{"name": "b", "n": 10}, {"name": "<i>a</i>", "n": 9}, {"name": "c", "n": 2}])
    table = page.get_by_test_id("table")
    table.get_by_role("button", name="n", exact=True).click()
    expect(table.locator("tbody tr").first).to_contain_text("c")
    expect(table.locator("th[aria-sort=ascending]")).to_have_text("n")
    axe(page)
    answered(page, {"deep": [{"<img src=x onerror=alert(1)>": [1, "x"]}, 2]})
    page.get_by_test_id("tree").get_by_text("deep").hover()
    page.get_by_role("button", name="Copy path $.deep", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == "$.deep"
    axe(page)
    answered(page, {f"label <b>{n}</b>": n / 19900 for n in range(200)})
    expect(page.locator(".bar:visible")).to_have_count(10)
    page.get_by_test_id("show-all").click()
    expect(page.locator(".bar:visible")).to_have_count(200)
    answered(page, [[0.5, float("nan")], [2, -1]])
    expect(page.get_by_test_id("note")).to_contain_text("not JSON")
    expect(page.get_by_test_id("matrix")).to_contain_text("NaN")
    axe(page)


@pytest.mark.full
def test_a_daemon_that_is_away_is_told_and_the_page_goes_on_when_it_is_back(
    rough: Web, a_page: Pages, faults: Faults
) -> None:
    faults.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE", "ERR_CONNECTION_RESET", "ERR_EMPTY")
    page = opened(a_page(rough), rough)
    body_of(page, BODY.decode())
    address = rough.address
    rough.local.sagelet("down")
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("run-problem")).to_contain_text("did not answer")
    expect(page.locator("[name='body.raw']")).to_have_value(BODY.decode())
    rough.local.sagelet("up", "--port", address.rpartition(":")[2])
    rough.local.wait_in_service(rough.name)
    page.get_by_test_id("run").click()
    expect(page.locator(".bar-label")).to_have_count(len(LABELS))


def test_a_run_can_be_cancelled(rough: Web, a_page: Pages) -> None:
    page = opened(a_page(rough), rough)
    body_of(page, '[["wait"]]')
    page.get_by_test_id("run").click()
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("run-message")).to_have_text("Cancelled.")
    expect(page.get_by_test_id("run")).to_be_focused()
    (rough.folder / "go").touch()


def test_too_large_a_payload_is_told_before_it_is_sent(web: Web, page: Page) -> None:
    opened(page, web)
    page.locator("form[data-run]").evaluate("form => { form.dataset.limit = '20'; }")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("run-problem")).to_contain_text("more than the")
    assert "POST" not in asked


def test_an_example_is_saved_beside_the_model_and_can_be_chosen(rough: Web, a_page: Pages) -> None:
    page = opened(a_page(rough), rough)
    body_of(page, '[["saved from the page"]]')
    page.get_by_test_id("save").locator("summary").click()
    page.get_by_label("Name").fill("from the page")
    page.get_by_test_id("save-example").click()
    expect(page.get_by_test_id("saved")).to_contain_text("from the page.json")
    assert [*rough.folder.rglob("from the page.json")]
    opened(page, rough)
    page.get_by_label("Example").select_option("from the page")
