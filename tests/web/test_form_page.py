"""The predict form in a browser: rows, the raw body, a grid, the keyboard, and no scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sagelet.web.forms import BadInput, Form, fill, values_of
from sagelet.web.forms.reading import Shown
from tests.form_models import a_form
from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults

ECHO = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(body, model):
    return body

def output_fn(body, accept):
    return body
"""
WIMBLEDON = "The Wimbledon tennis tournament starts next week!"


@pytest.fixture(scope="module")
def echoes(web: Web, tmp_path_factory: pytest.TempPathFactory) -> Web:
    """An endpoint that answers what it is sent, with fields of many kinds."""
    folder = tmp_path_factory.mktemp("echoes")
    (folder / "code").mkdir()
    (folder / "code/inference.py").write_text(ECHO)
    (folder / "code/sagelet-ui.json").write_text(json.dumps({"ui": UI}))
    web.local.deploy("echoes", folder)
    web.local.wait_in_service("echoes")
    return Web(web.local, folder, "echoes")


UI = {
    "fields": [
        {"name": "grid", "default": [[1, 2], [3, 4.50]]},
        {"name": "count", "type": "integer", "default": 3, "min": 0},
        {"name": "big", "default": 12345678901234567890},
        {"name": "kind", "options": ["short", "long"]},
        {"name": "password", "secret": True},
        {"name": "on", "default": False},
    ]
}


def opened(page: Page, web: Web, query: str = "") -> Locator:
    page.goto(f"/endpoints/{web.name}{query}")
    return page.get_by_test_id("body")


def test_a_row_is_added_and_is_in_the_body(page: Page, web: Web) -> None:
    body = opened(page, web, "?ex=wimbledon")
    page.get_by_test_id("add-row").click()
    page.keyboard.type('a "new" row')
    expect(body).to_have_value(f'[["{WIMBLEDON}"], ["a \\"new\\" row"]]\n')
    page.get_by_role("button", name="Remove row 1").click()
    expect(body).to_have_value('[["a \\"new\\" row"]]\n')
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("result")).to_contain_text("Tweets")


def test_the_raw_body_and_the_fields_are_one_state(page: Page, web: Web) -> None:
    body = opened(page, web)
    body.fill('[["one"],\n  ["two"], ["three"]]')
    cells = page.get_by_role("textbox", name="text, row")
    expect(cells).to_have_count(3)
    expect(cells.nth(2)).to_have_value("three")
    cells.nth(0).fill("ONE")
    expect(body).to_have_value('[["ONE"], ["two"], ["three"]]\n')


def test_a_body_of_another_shape_is_sent_until_the_fields_are_wanted_again(
    page: Page, web: Web
) -> None:
    body = opened(page, web, "?ex=wimbledon")
    body.fill('{"no": "list"}')
    cell = page.get_by_role("textbox", name="text, row 1")
    expect(cell).to_be_disabled()
    body.fill('[["a",\n]')
    expect(page.get_by_test_id("body-says")).to_contain_text("Not JSON: line 2, column 1")
    page.get_by_test_id("reset-body").click()
    expect(cell).to_be_enabled()
    expect(body).to_have_value(f'[["{WIMBLEDON}"]]\n')


def test_a_range_of_a_spreadsheet_is_pasted_into_the_grid(page: Page, echoes: Web) -> None:
    body = opened(page, echoes)
    page.get_by_role("textbox", name="grid, row 2, column 2").evaluate(
        """cell => {
            const clipboard = new DataTransfer();
            clipboard.setData("text/plain", "7\\t8\\r\\n9\\t10\\r\\n");
            cell.dispatchEvent(new ClipboardEvent("paste",
                { clipboardData: clipboard, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.get_by_test_id("cells").locator("input")).to_have_count(9)
    assert json.loads(body.input_value())["grid"] == [[1, 2, 0], [3, 7, 8], [0, 9, 10]]
    page.get_by_role("textbox", name="grid, row 1, column 1").press("ArrowDown")
    page.keyboard.type("-5")
    assert json.loads(body.input_value())["grid"][1] == [-5, 7, 8]


def test_long_numbers_and_unchanged_digits_are_sent_as_they_are(page: Page, echoes: Web) -> None:
    body = opened(page, echoes)
    expect(body).to_have_value(
        '{"grid":[[1,2],[3,4.5]],"count":3,"big":12345678901234567890,"kind":"short",'
        '"password":"","on":false}'
    )
    page.get_by_label("big").fill("123456789012345678901")
    expect(body).to_have_value(
        '{"grid":[[1,2],[3,4.5]],"count":3,"big":123456789012345678901,"kind":"short",'
        '"password":"","on":false}'
    )


def test_a_mistake_stands_beside_its_field(page: Page, echoes: Web, faults: Faults) -> None:
    faults.allow("status of 422")
    opened(page, echoes)
    count = page.get_by_label("count")
    count.fill("-1")
    expect(page.get_by_test_id("field-error")).to_have_text("'-1' is less than 0")
    expect(count).to_have_attribute("aria-invalid", "true")
    expect(count).to_have_accessible_description(re.compile("'-1' is less than 0"))
    page.get_by_test_id("run").click()
    expect(page.get_by_test_id("run-problem")).to_contain_text("'-1' is less than 0")
    count.fill("4")
    expect(page.get_by_test_id("field-error")).to_have_count(0)


def test_a_secret_is_sent_and_not_shown(page: Page, echoes: Web) -> None:
    body = opened(page, echoes)
    page.get_by_label("password").fill("hunter2")
    expect(body).to_have_value(
        '{"grid":[[1,2],[3,4.5]],"count":3,"big":12345678901234567890,"kind":"short",'
        '"password":"•••","on":false}'
    )
    with page.expect_request("**/run") as asked:
        page.get_by_test_id("run").click()
    sent = asked.value.post_data or ""
    assert "hunter2" in sent
    assert "•••" not in sent


def test_a_form_is_filled_in_and_run_by_the_keyboard_alone(page: Page, echoes: Web) -> None:
    body = opened(page, echoes)
    page.get_by_label("count").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("8")
    page.keyboard.press("Tab")  # to `big`
    page.keyboard.press("Tab")  # to the choices
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")  # to the secret
    page.keyboard.press("Tab")  # to the switch
    page.keyboard.press("Space")
    made = json.loads(body.input_value())
    assert (made["count"], made["kind"], made["on"]) == (8, "long", True)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("result")).to_contain_text("12345678901234567890")


def test_without_scripts_the_fields_are_sent(web: Web, a_page: Pages) -> None:
    page = a_page(web, scripts=False)
    opened(page, web, "?ex=wimbledon")
    page.get_by_role("textbox", name="text, row 1").fill("A movie about <b>tennis</b>")
    page.get_by_role("textbox", name="text, a further row").first.fill("Another")
    page.get_by_test_id("run").click()
    expect(page.get_by_role("textbox", name="text, row 1")).to_have_value(
        "A movie about <b>tennis</b>"
    )
    expect(page.get_by_role("textbox", name="text, row 2")).to_have_value("Another")
    expect(page.get_by_test_id("result")).to_contain_text("Movie reviews")


def test_the_form_has_no_serious_flaw_for_assistive_technology(
    page: Page, echoes: Web, axe: Callable[[Page], None]
) -> None:
    opened(page, echoes)
    page.get_by_label("count").fill("-1")
    axe(page)


def test_the_page_makes_the_bytes_that_the_server_makes(
    page: Page, web: Web, tmp_path: Path
) -> None:
    page.goto(f"/endpoints/{web.name}")
    cases: list[tuple[Mapping[str, Any], Shown, str]] = []
    for number, (payload, typed) in enumerate(PARITY):
        form = a_form(tmp_path / str(number), {"examples/a.json": payload})
        values = {**values_of(form), **{f"f.{key}": value for key, value in typed.items()}}
        cases.append((form.for_browser(), values, _filled(form, values)))
    made = page.evaluate(
        """async cases => {
            const { fill } = await import("/static/body-template.js");
            return cases.map(([template, values]) => {
                const made = fill(template, new Map(Object.entries(values)));
                return made.errors.size ? [...made.errors].join() : made.text;
            });
        }""",
        cases,
    )
    assert made == [expected for *_, expected in cases]


def test_the_page_reads_bodies_as_the_server_does(page: Page, web: Web, tmp_path: Path) -> None:
    page.goto(f"/endpoints/{web.name}")
    cases: list[tuple[Mapping[str, Any], str]] = []
    expected: list[dict[str, Any] | None] = []
    for number, (payload, others) in enumerate(READINGS):
        form = a_form(tmp_path / str(number), {"examples/a.json": payload})
        for body in (payload, *others):
            cases.append((form.for_browser(), body))
            values = values_of(form, body.encode())
            fields = {key: held for key, held in values.items() if key.startswith("f.")}
            expected.append(fields if values["body.mode"] == ["form"] else None)
    read = page.evaluate(
        """async cases => {
            const { valuesOf } = await import("/static/body-reading.js");
            return cases.map(([template, body]) => {
                const values = valuesOf(template, body);
                return values && Object.fromEntries(values);
            });
        }""",
        cases,
    )
    assert read == expected


READINGS: list[tuple[str, list[str]]] = [
    ('{"a": 1.50, "b": "x"}', ['{"b":"y","a":2}', '{"a": "1", "b": "x"}', '{"a": 1}', "[1]"]),
    ('[["x"], ["y"]]', ["[]", '[["z"]]', '[["z", 1]]', '[["a\\nb"]]', '["z"]']),
    ('[{"n": 1}, {"n": 2, "o": 3}]', ['[{"n": 5, "o": 6}]', '[{"o": 6}]']),
    ('{"a": [1, 2], "g": [[1, 2]]}', ['{"a":[3],"g":[[4]]}', '{"a":["3"],"g":[[4]]}']),
    ('{"a": {"b": {"c": 1}}, "t": ["x"]}', ['{"a":{"b":2},"t":[]}', '{"a":{"b":2},"t":[""]}']),
    ('{"big": 12345678901234567890}', ['{"big": 12345678901234567891}']),
    ('{"d": "2026-03-14", "s": true}', ['{"d":"2026-12-24","s":false}']),
]


def _filled(form: Form, values: Shown) -> str:
    try:
        return fill(form, values).decode()
    except BadInput as error:
        return ",".join(f"{key},{message}" for key, message in error.errors.items())


PARITY: list[tuple[str, dict[str, list[Any]]]] = [
    ('{"a": 1.50, "b": "x", "c": true}\n', {}),
    ('{"a": 1.50}', {"a": [".5"]}),
    ('{"a": 1.50}', {"a": ["+5."]}),
    ('{"a": 1.50}', {"a": ["NaN"]}),
    ('{"a": 1.50}', {"a": ["1e999"]}),
    ('{"a": 1}', {"a": ["1.5"]}),
    ('{"a": 1}', {"a": [""]}),
    ('{"a": "\\u00e4"}', {"a": ["ü🎉\u007f"]}),
    ('{"a": "ä"}', {"a": ['"\\\u2028\tü🎉']}),
    ('{"a": [1, 2], "b":[1,2]}', {"a": ["3\t4;5"], "b": ["6 7"]}),
    ('{"a": [[1, 2]]}', {"a": ["1 2\n3 4"]}),
    ('{"a": [[1, 2]]}', {"a": ["1 2\n3"]}),
    ('{"a": ["x"]}', {"a": ["y\n\nz"]}),
    ('{"a": {"b": {"c": 1}}}', {"a.b": ['{"x":  [1,2.0]}']}),
    ('{"a": {"b": {"c": 1}}}', {"a.b": ["[1,]"]}),
    ('[\n ["x"],\n ["y"]\n]', {"inputs[].text": ["1", "2", "3"]}),
    (
        '[{"n": 1, "w": null}, {"n": 2, "w": "x"}]',
        {"inputs[].n": ["1", "z"], "inputs[].w": ["", ""]},
    ),
    ('[{"n": 1}, {"n": 2, "o": 3}]', {"inputs[].n": ["5", "6"], "inputs[].o": ["", "7"]}),
    ('{"on": true}', {"on": []}),
    ('{"d": "2026-03-14"}', {"d": ["2026-12-24"]}),
]
