"""The form as HTML: labels, mistakes, and whatever a model's author may write."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sagelet.web.forms import Form, values_of
from sagelet.web.forms.reading import Shown
from sagelet.web.rendering import Rendering
from tests.form_models import a_form
from tests.hostile_texts import HOSTILE

RENDERING = Rendering()


class Page(HTMLParser):
    """The elements of a page, with their attributes, and the texts of all that hold text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def find(self, **wanted: str) -> dict[str, str]:
        return next(
            attributes
            for _, attributes in self.tags
            if all(attributes.get(name) == value for name, value in wanted.items())
        )


def shown(
    form: Form,
    errors: dict[str, str] | None = None,
    values: Shown | None = None,
    *,
    owner: bool = True,
) -> Page:
    template = RENDERING.environment.get_template("forms/_form.html.j2")
    context = {"form": form, "values": values or values_of(form), "errors": errors or {}}
    return Page(template.render(context, owner=owner))


def of_ui(tmp_path: Path, ui: dict[str, Any]) -> Form:
    return a_form(tmp_path, {"code/sagelet-ui.json": json.dumps({"ui": ui})})


ALL_KINDS: list[dict[str, Any]] = [
    {"name": "text", "default": "x", "help": "Say it", "placeholder": "here"},
    {"name": "textarea", "default": "\n\ntwo"},
    {"name": "number", "default": 1, "min": 0, "max": 9, "step": 1},
    {"name": "long", "default": 12345678901234567890},
    {"name": "integer", "type": "integer", "default": 2},
    {"name": "switch", "default": True},
    {"name": "tags", "default": ["a"]},
    {"name": "select", "options": list("abcde")},
    {"name": "radio", "options": ["a", ""]},
    {"name": "checkboxes", "options": ["a", "b"], "default": ["b"]},
    {"name": "image", "type": "image"},
    {"name": "audio", "type": "audio"},
    {"name": "file", "type": "file"},
    {"name": "json", "type": "json", "default": {"a": 1}},
    {"name": "csv", "type": "csv", "default": "1,2"},
    {"name": "date", "type": "date", "default": "2026-03-14"},
    {"name": "slider", "type": "slider", "min": 0, "max": 1, "default": 0.5},
    {"name": "secret", "secret": True},
    {"name": "numbers", "default": [1, 2]},
    {"name": "grid", "default": [[1, 2]]},
    {"name": "rows", "default": [{"a": 1, "b": "x", "c": True}]},
]


def test_every_input_has_a_name_a_label_and_an_id_of_its_own(tmp_path: Path) -> None:
    page = shown(of_ui(tmp_path, {"fields": ALL_KINDS}))
    controls = [
        attributes
        for tag, attributes in page.tags
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden"
    ]
    labels = {attributes.get("for") for tag, attributes in page.tags if tag == "label"}
    keys = {f"f.{field['name']}" for field in ALL_KINDS} - {"f.rows"}
    assert keys <= {each["name"] for each in controls}
    ids = [each["id"] for each in controls if "id" in each]
    assert len(ids) == len(set(ids))
    for each in controls:
        is_in_label = each.get("type") in ("checkbox", "radio")
        assert "aria-label" in each or each.get("id") in labels or is_in_label, each


def test_what_a_browser_would_change_is_typed_as_text(tmp_path: Path) -> None:
    page = shown(of_ui(tmp_path, {"fields": ALL_KINDS}))
    assert page.find(name="f.long")["type"] == "text"
    assert page.find(name="f.number") | {"id": ""} == {
        "type": "number",
        "value": "1",
        "step": "1",
        "min": "0",
        "max": "9",
        "autocomplete": "off",
        "id": "",
        "name": "f.number",
        "dir": "auto",
    }
    # The parser of a browser drops one line break after the tag; two are the text's own.
    assert "\n\n\ntwo" in page.texts


def test_a_secret_is_never_in_the_page(tmp_path: Path) -> None:
    form = of_ui(tmp_path, {"fields": [{"name": "token", "secret": True}]})
    values: Shown = {**values_of(form), "f.token": ["hunter2"], "body.raw": [""]}
    page = shown(form, values=values)
    assert page.find(name="f.token")["type"] == "password"
    assert "hunter2" not in str(page.tags) + str(page.texts)


def test_a_mistake_is_tied_to_its_input(tmp_path: Path) -> None:
    form = of_ui(tmp_path, {"fields": [{"name": "a", "default": 1, "help": "Some help"}]})
    page = shown(form, {"f.a": "'x' is not a number"})
    described = page.find(name="f.a")
    assert described["aria-invalid"] == "true"
    ids = described["aria-describedby"].split()
    assert [page.find(id=each)["class"] for each in ids] == ["help", "error"]
    assert "'x' is not a number" in page.texts


def test_a_mistake_in_a_table_is_tied_to_its_column(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": '[{"a": 1, "b": 2}, {"a": 3, "b": 4}]'})
    page = shown(form, {"f.inputs[].b": "row 2: no"})
    cells = [each for _, each in page.tags if each.get("name") == "f.inputs[].b"]
    assert {each.get("aria-describedby") for each in cells[:2]} == {"field-1-2-error"}
    assert page.find(id="field-1-2-error")["class"] == "error"


def test_what_was_submitted_is_shown_again(tmp_path: Path) -> None:
    form = of_ui(tmp_path, {"fields": ALL_KINDS})
    values: Shown = {"f.number": ["x"], "f.radio": [""], "f.checkboxes": ["a"], "f.select": ["c"]}
    page = shown(form, {"f.number": "no"}, values)
    assert page.find(name="f.number")["value"] == "x"
    assert "checked" in page.find(name="f.radio", value="")
    assert "checked" not in page.find(name="f.checkboxes", value="b")
    assert "selected" in page.find(value="c")


def test_two_hundred_choices_are_a_list(tmp_path: Path) -> None:
    options = [f"choice {number}" for number in range(200)]
    page = shown(of_ui(tmp_path, {"fields": [{"name": "a", "options": options}]}))
    values = [each.get("value") for tag, each in page.tags if tag == "option"]
    assert values[:200] == options


@pytest.mark.parametrize("text", HOSTILE)
def test_words_of_others_stay_words(text: str, tmp_path: Path) -> None:
    name = re.sub(r"[{}]", "", text)[:100] or "x"
    fields = [
        {"name": name, "label": text, "help": text, "placeholder": text, "default": text},
        {"name": "b", "options": [text, "other"]},
        {"name": "c", "options": [text, *"abcde"]},
        {"name": "d", "default": [{"k" + name: text}]},
    ]
    page = shown(of_ui(tmp_path, {"fields": fields, "title": text}), {f"f.{name}": text})
    assert {tag for tag, _ in page.tags} <= KNOWN_TAGS
    for _, attributes in page.tags:
        assert not any(
            attribute.startswith("on") or attribute == "style" for attribute in attributes
        )
    scripts = [each for tag, each in page.tags if tag == "script"]
    assert [each["type"] for each in scripts] == ["module", "application/json"]


KNOWN_TAGS = {
    *("button", "code", "datalist", "details", "div", "fieldset", "input", "label", "legend"),
    *("link", "noscript", "option", "p", "payload-form", "pre", "script", "select", "strong"),
    *("caption", "summary", "table", "tbody", "td", "template", "textarea", "th", "thead", "tr"),
}


def test_words_are_written_in_their_own_direction(tmp_path: Path) -> None:
    fields = [{"name": "نص", "default": "مرحبا", "help": "שלום"}]
    page = shown(of_ui(tmp_path, {"fields": fields}))
    assert page.find(name="f.نص")["dir"] == "auto"
    assert page.find(name="f.نص")["value"] == "مرحبا"


def test_a_small_picture_of_an_example_is_shown(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/cat.png": b"\x89PNG\r\n\x1a\nabc"})
    page = shown(form)
    assert page.find(name="f.body@")["value"] == "cat"
    assert page.find(alt="The example's picture")["src"].startswith("data:image/png;base64,iVBOR")


def test_what_is_named_as_a_picture_is_shown_as_nothing_else(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.png": b"<svg onload=alert(1)>"})
    assert shown(form).find(alt="The example's picture")["src"].startswith("data:image/png;")


def test_the_source_is_named_with_what_was_of_no_use(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": "[1]", "examples/b.json": "["})
    texts = " ".join(shown(form).texts)
    assert "The form is inferred from examples/a.json, examples/b.json." in texts
    assert "examples/b.json is not used: line 1, column 2" in texts
    assert "type: numbers" in texts


def test_a_visitor_is_not_told_of_the_owners_files(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": "[1]", "examples/b.json": "["})
    assert "examples/" not in " ".join(shown(form, owner=False).texts)
