"""`ui:` as a form, and forms as `ui:`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sagelet.web.forms import Form, Upload, fill, values_of
from tests.form_models import a_form, begins_as


def form_of(tmp_path: Path, ui: dict[str, Any]) -> Form:
    form = a_form(tmp_path, {"code/sagelet-ui.json": json.dumps({"ui": ui})})
    assert not form.source.problems
    return form


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ({"default": "x"}, "text", "x"),
        ({"default": "x" * 61}, "textarea", "x" * 61),
        ({"default": "a\nb"}, "textarea", "a\nb"),
        ({"default": 3}, "number", 3),
        ({"default": 0.5}, "number", 0.5),
        ({"default": True}, "switch", True),
        ({"default": ["a", "b"]}, "tags", ["a", "b"]),
        ({"default": [1, 2]}, "numbers", [1, 2]),
        ({"default": [[1, 2], [3, 4]]}, "grid", [[1, 2], [3, 4]]),
        ({"default": [["a text"]]}, "rows", [["a text"]]),
        ({"default": [{"a": 1}]}, "rows", [{"a": 1}]),
        ({"default": [[[1]]]}, "json", [[[1]]]),
        ({"default": {"a": 1}}, "json", {"a": 1}),
        ({}, "text", ""),
        ({"options": ["a", "b"]}, "radio", "a"),
        ({"options": ["a", "b", "c", "d", "e"], "default": "c"}, "select", "c"),
        ({"options": [1, 2], "default": 2}, "radio", 2),
        ({"options": ["a", "b"], "multiple": True}, "checkboxes", []),
        ({"options": ["a", "b"], "default": ["b"]}, "checkboxes", ["b"]),
        ({"type": "integer", "default": 3}, "integer", 3),
        ({"type": "slider", "min": 0, "max": 1, "default": 0.5}, "slider", 0.5),
        ({"type": "date", "default": "2026-03-14"}, "date", "2026-03-14"),
        ({"type": "json"}, "json", None),
        ({"type": "select", "options": ["a"]}, "select", "a"),
        ({"secret": True}, "secret", ""),
        ({"type": "secret"}, "secret", ""),
        ({"type": "csv", "default": "1,2\n"}, "csv", "1,2\n"),
    ],
)
def test_a_fields_type_follows_from_its_default(
    field: dict[str, Any], kind: str, value: object, tmp_path: Path
) -> None:
    form = form_of(tmp_path, {"fields": [{"name": "x", **field}]})
    assert form.fields[0].kind == kind
    assert json.loads(begins_as(form)) == {"x": value}


def test_fields_go_where_the_body_names_them(tmp_path: Path) -> None:
    body = {"inputs": ["{text}"], "parameters": {"k": "{k}", "seed": 1, "note": "{no field}"}}
    fields = [{"name": "text", "default": "hi"}, {"name": "k", "default": 3, "min": 1, "max": 5}]
    form = form_of(tmp_path, {"fields": fields, "body": body})
    assert begins_as(form) == (
        b'{"inputs":["hi"],"parameters":{"k":3,"seed":1,"note":"{no field}"}}'
    )
    assert [field.pointer for field in form.fields] == ["/inputs/0", "/parameters/k"]
    assert form.schema["properties"]["parameters"]["properties"]["k"]["maximum"] == 5


def test_a_body_that_is_written_as_json_keeps_its_looks(tmp_path: Path) -> None:
    ui = {"fields": [{"name": "a", "default": 1}], "body": '{ "x" : [ "{a}" ],\n "y": 1.0 }\n'}
    assert begins_as(form_of(tmp_path, ui)) == b'{ "x" : [ 1 ],\n "y": 1.0 }\n'


def test_cells_of_one_line_of_csv(tmp_path: Path) -> None:
    fields = [{"name": "a", "default": 1.5}, {"name": "b", "default": 'x, "y"'}]
    form = form_of(tmp_path, {"fields": fields, "content_type": "text/csv"})
    assert begins_as(form) == b'1.5,"x, ""y"""\n'
    assert fill(form, values_of(form, b"2,z\n")) == b"2,z\n"


def test_a_grid_becomes_numpys_file(tmp_path: Path) -> None:
    ui = {
        "fields": [{"name": "a", "default": [[1, 2], [3, 4]]}],
        "content_type": "application/x-npy",
    }
    form = form_of(tmp_path, ui)
    assert np.load(io.BytesIO(begins_as(form))).tolist() == [[1, 2], [3, 4]]


def test_a_single_file_is_the_body_and_in_a_body_it_is_base64(tmp_path: Path) -> None:
    upload = Upload("a.png", b"abc", "image/png")
    whole = form_of(tmp_path / "1", {"fields": [{"name": "x", "type": "image"}]})
    assert whole.content_type == "image/png"
    assert fill(whole, {whole.fields[0].key: [upload]}) == b"abc"
    fields = [{"name": "x", "type": "image"}]
    inside = form_of(tmp_path / "2", {"fields": fields, "body": {"i": "{x}"}})
    assert fill(inside, {"f.x": [upload]}) == b'{"i":"YWJj"}'


@pytest.mark.parametrize(
    "payload",
    [
        '[["The Wimbledon tennis tournament"], ["The Canadian President"]]',
        '{"a": 1, "b": {"a": "x"}, "c": [1, 2.5], "d": [[1, 2]], "e": {"f": {"g": null}}}',
        '{"instances": [{"x": 1, "y": "z"}], "{": true, "words": ["a", "b"]}',
        '"text"',
        "[1, 2]",
    ],
)
def test_what_is_ejected_makes_the_same_body(payload: str, tmp_path: Path) -> None:
    found = a_form(tmp_path / "found", {"examples/a.json": payload})
    ui = yaml.safe_load(found.ejected)["ui"]
    written = form_of(tmp_path / "written", ui)
    assert json.loads(begins_as(written)) == json.loads(payload)
    assert [field.kind for field in written.fields] == [field.kind for field in found.fields]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"1,2\n3,4\n"), ("a.txt", b"hello"), ("a.png", b"\x89PNG\r\n\x1a\n")],
)
def test_other_bodies_are_ejected_too(name: str, content: bytes, tmp_path: Path) -> None:
    found = a_form(tmp_path / "found", {f"examples/{name}": content})
    ui = yaml.safe_load(found.ejected)["ui"]
    written = form_of(tmp_path / "written", ui)
    assert (written.encoding, written.content_type) == (found.encoding, found.content_type)


def test_schemas_and_hints_are_ejected_too(tmp_path: Path) -> None:
    script = (
        "class B(TypedDict):\n    a: Annotated[int, Ge(1)]\n    b: Literal['x', 'y']\n"
        "    rows: list[list[str]]\n    n: float | None\ndef input_fn(b, k) -> B: ...\n"
    )
    found = a_form(tmp_path / "found", {"code/inference.py": script})
    ui = yaml.safe_load(found.ejected)["ui"]
    assert ui["fields"][0] == {"name": "a", "type": "integer", "default": 1, "min": 1}
    assert form_of(tmp_path / "written", ui).fields
