"""The API tab: calls to paste that follow what is typed, and a try with a key."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from sagelet.web.snippets import KEY_VARIABLE
from tests.web.article import BODY
from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults

NASTY = '[["it\'s \\"so\\" $(touch hacked) `id` \\\\ 🙂 </script>\\n"]]'


@pytest.fixture(scope="module")
def api_key(web: Web) -> str:
    body = json.dumps({"name": "api page", "endpoints": [web.name]}).encode()
    status, made = web.signed("POST", "/api/v1/keys", body)
    assert status == 201, made
    key: str = json.loads(made)["key"]
    return key


def curl_of(page: Page) -> str:
    return page.locator("#snippet-curl").text_content() or ""


def pasted(web: Web, code: str, key: str) -> str:
    return web.local.run("bash", "-c", code, cwd=web.folder.parent, **{KEY_VARIABLE: key})


def test_the_snippet_that_is_shown_answers_what_boto3_is_answered(
    web: Web, page: Page, api_key: str
) -> None:
    page.goto(f"/endpoints/{web.name}/api")
    expect(page.locator("#snippet-curl")).to_contain_text("/api/v1/predict/")
    body = page.get_by_test_id("body")
    body.fill(NASTY)
    expect(page.locator("#snippet-curl")).to_contain_text("touch hacked")
    page.get_by_test_id("snippet-fetch").locator("summary").click()
    expect(page.locator("#snippet-fetch")).to_contain_text("<\\/script>")
    expected = web.local.invoke(web.name, NASTY.encode())
    assert json.loads(pasted(web, curl_of(page), api_key)) == json.loads(expected)
    assert not (web.folder.parent / "hacked").exists()


def test_the_body_of_the_predict_tab_comes_along(web: Web, page: Page) -> None:
    page.goto(f"/endpoints/{web.name}")
    raw = page.locator("[name='body.raw']")
    raw.evaluate("(field) => { field.value = '[[\"from the other tab\"]]' }")
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.get_by_test_id("body")).to_have_value('[["from the other tab"]]')
    expect(page.locator("#snippet-curl")).to_contain_text("from the other tab")


def test_a_key_is_tried_and_a_wrong_one_is_refused(
    web: Web, a_page: Pages, api_key: str, faults: Faults
) -> None:
    faults.allow("status of 401")
    page = a_page(web)
    page.goto(f"/endpoints/{web.name}/api")
    page.get_by_test_id("body").fill(BODY.decode())
    page.get_by_test_id("try-key").fill(api_key)
    page.get_by_test_id("try").click()
    expect(page.get_by_test_id("try-status")).to_contain_text("200")
    expected = json.loads(web.local.invoke(web.name, BODY))
    assert json.loads(page.get_by_test_id("try-answer").text_content() or "") == expected
    page.get_by_test_id("try-key").fill("sgl_live_wrong")
    page.get_by_test_id("try").click()
    expect(page.get_by_test_id("try-status")).to_contain_text("401")
    expect(page.get_by_test_id("try-answer")).to_contain_text("no such API key")


def test_without_scripts_the_form_writes_the_snippets(web: Web, a_page: Pages) -> None:
    page = a_page(web, scripts=False)
    page.goto(f"/endpoints/{web.name}/api")
    page.get_by_test_id("body").fill("two\nlines")
    page.get_by_test_id("write").click()
    assert "--data-raw 'two\nlines'" in curl_of(page)
    expect(page.get_by_test_id("try")).to_be_hidden()


def test_openapi_is_saved_as_a_file(web: Web, page: Page) -> None:
    page.goto(f"/endpoints/{web.name}/api")
    with page.expect_download() as caught:
        page.get_by_test_id("openapi").click()
    assert caught.value.suggested_filename == f"{web.name}.openapi.json"
    document = json.loads(caught.value.path().read_text())
    assert document["openapi"] == "3.1.0"
