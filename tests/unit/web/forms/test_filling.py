"""What is typed becomes JSON, CSV or an array with the types that were meant, or a mistake."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from starlette.datastructures import FormData, Headers, UploadFile

from sagelet.web.forms import BadInput, Form, Upload, fill, submitted, uploaded_type, values_of
from sagelet.web.forms.form import CONTENT_TYPE, MODE, RAW_FILE, RAW_TEXT
from sagelet.web.forms.reading import Shown
from tests.form_models import a_form

NO_NUMBER = "JSON has no NaN and no Infinity"


def form_of(tmp_path: Path, payload: str | bytes, name: str = "examples/one.json") -> Form:
    return a_form(tmp_path, {name: payload})


def filled(form: Form, **typed: str | list[str] | Upload) -> bytes:
    values: Shown = values_of(form)
    for name, value in typed.items():
        values[f"f.{name}"] = [*value] if isinstance(value, list) else [value]
    return fill(form, values)


def mistake(form: Form, **typed: str | list[str]) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        filled(form, **typed)
    return caught.value.field, caught.value.message


@pytest.mark.parametrize(
    ("payload", "typed", "expected"),
    [
        ('{"a": 1}', "2", '{"a": 2}'),
        ('{"a": 1.0}', "2", '{"a": 2}'),
        ('{"a": 1.0}', "1.50", '{"a": 1.50}'),
        ('{"a": 1.5}', " .5 ", '{"a": 0.5}'),
        ('{"a": 1.5}', "+5.", '{"a": 5}'),
        ('{"a": 1}', "12345678901234567890123", '{"a": 12345678901234567890123}'),
        ('{"a": "5"}', "6", '{"a": "6"}'),
        ('{"a": "x"}', "", '{"a": ""}'),
        ('{"a": "x"}', '"\\', '{"a": "\\"\\\\"}'),
        ('{"a": "x"}', "null", '{"a": "null"}'),
        ('{"a": "ä"}', "ü🎉", '{"a": "ü🎉"}'),
        ('{"a": "\\u00e4"}', "ü", '{"a": "\\u00fc"}'),
        ('{"a": [1, 2]}', "3\t4,5;6", '{"a": [3, 4, 5, 6]}'),
        ('{"a":[1,2]}', "3", '{"a":[3]}'),
        ('{"a": [[1, 2]]}', "1\t2\n3\t4\n", '{"a": [[1, 2], [3, 4]]}'),
        ('{"a": ["x"]}', "y\n\n z", '{"a": ["y"," z"]}'),
        ('{"a": {"b": {"c": 1}}}', '{"b": [1,  2.0]}', '{"a": {"b": [1,  2.0]}}'),
        ('{"a": "2026-03-14"}', "2026-12-24", '{"a": "2026-12-24"}'),
        ('{"a": true}', "true", '{"a": true}'),
    ],
)
def test_a_value_is_put_in_with_its_type(
    payload: str, typed: str, expected: str, tmp_path: Path
) -> None:
    key = "a.b" if '"b"' in payload else "a"
    if key == "a.b":
        expected = '{"a": {"b": {"b": [1,  2.0]}}}'
    assert filled(form_of(tmp_path, payload), **{key: typed}).decode() == expected


@pytest.mark.parametrize(
    ("payload", "typed", "message"),
    [
        ('{"a": 1}', "x", "'x' is not a whole number"),
        ('{"a": 1}', "1.5", "'1.5' is not a whole number"),
        ('{"a": 1}', "", "a number is needed here"),
        ('{"a": 1.5}', "1,5", "'1,5' is not a number"),
        ('{"a": 1.5}', "٣", "'٣' is not a number"),
        ('{"a": 1.5}', "NaN", NO_NUMBER),
        ('{"a": 1.5}', "-inf", NO_NUMBER),
        ('{"a": 1.5}', "1e999", "is too large"),
        ('{"a": [1, 2]}', "1, nan", NO_NUMBER),
        ('{"a": [[1, 2]]}', "1 2\n3", "row 2 has 1 cells, row 1 has 2"),
        ('{"a": [[1, 2]]}', "", "there are no numbers"),
        ('{"a": [{"b": [1]}]}', "[NaN]", f"line 1, column 2: {NO_NUMBER}"),
        ('{"a": [{"b": [1]}]}', "[1,\n}", "line 2, column 1"),
        ('{"a": "2026-03-14"}', "2026-02-30", "a date is needed"),
        ('{"a": "x"}', "\ud800", "broken character"),
    ],
)
def test_what_does_not_fit_is_a_mistake_of_its_field(
    payload: str, typed: str, message: str, tmp_path: Path
) -> None:
    field, said = mistake(form_of(tmp_path, payload), a=typed)
    assert field == "f.a"
    assert message in said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"a": 1, "b": 2, "c": 3}')
    with pytest.raises(BadInput) as caught:
        filled(form, a="x", b="5", c="y")
    assert caught.value.errors.keys() == {"f.a", "f.c"}


def test_rows_are_added_and_taken_away(tmp_path: Path) -> None:
    form = form_of(tmp_path, '[\n  ["one"],\n  ["two"]\n]\n')
    key = "inputs[].text"
    assert filled(form, **{key: ["one", "two", "three"]}).decode() == (
        '[\n  ["one"],\n  ["two"],\n  ["three"]\n]\n'
    )
    assert filled(form, **{key: ["two"]}).decode() == '[\n  ["two"]\n]\n'
    assert json.loads(filled(form, **{key: []})) == []


def test_spare_rows_of_a_page_without_scripts_count_where_they_are_used(tmp_path: Path) -> None:
    form = form_of(tmp_path, '[["one"]]')
    spare = {"inputs[].text+": ["", "two"]}
    assert json.loads(filled(form, **spare)) == [["one"], ["two"]]


def test_a_tables_cells_have_the_types_of_their_columns(tmp_path: Path) -> None:
    form = form_of(
        tmp_path, '[{"n": 1, "ok": true, "who": null}, {"n": 2, "ok": false, "who": "x"}]'
    )
    made = filled(
        form,
        **{
            "inputs[].n": ["1", "2", "3"],
            "inputs[].ok": ["true", "true", "false"],
            "inputs[].who": ["", "x", "y"],
        },
    )
    assert json.loads(made) == [
        {"n": 1, "ok": True, "who": None},
        {"n": 2, "ok": True, "who": "x"},
        {"n": 3, "ok": False, "who": "y"},
    ]
    assert mistake(form, **{"inputs[].n": ["1", "z"]}) == (
        "f.inputs[].n",
        "row 2: 'z' is not a whole number",
    )


def test_what_is_unset_is_left_out_or_null(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "may_go": {"type": "string", "default": "x"},
            "nothing": {"type": ["integer", "null"], "default": 3},
        },
        "required": ["nothing"],
    }
    form = form_of(tmp_path, json.dumps(schema), "code/schema.json")
    assert filled(form) == b'{"may_go":"x","nothing":3}'
    assert filled(form, **{"may_go!": "on", "nothing": ""}) == b'{"nothing":null}'
    assert filled(form, **{"may_go": "", "nothing!": "on"}) == b'{"may_go":"","nothing":null}'


def test_a_switch_that_is_off_is_not_submitted_and_means_false(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"on": true, "off": false}')
    assert filled(form, on=[]) == b'{"on": false, "off": false}'
    assert filled(form, off="true") == b'{"on": true, "off": true}'


def test_choices_keep_the_types_of_their_values(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "one": {"enum": [1, "1", True, None, 1.5]},
            "some": {"type": "array", "items": {"enum": ["b", "a"]}, "default": ["a"]},
        },
        "required": ["one", "some"],
    }
    form = form_of(tmp_path, json.dumps(schema), "code/schema.json")
    assert filled(form) == b'{"one":1,"some":["a"]}'
    assert filled(form, one='"1"', some=["a", "b"]) == b'{"one":"1","some":["b","a"]}'
    assert filled(form, one="true", some=[]) == b'{"one":true,"some":[]}'
    assert mistake(form, one="2") == ("f.one", "'2' is not among the choices")
    assert mistake(form, some=["c"]) == ("f.some", "'c' is not among the choices")


def test_a_file_is_sent_as_it_is_or_the_examples_own(tmp_path: Path) -> None:
    form = form_of(tmp_path, b"\x89PNG\r\n\x1a\nabc", "examples/cat.png")
    assert filled(form) == b"\x89PNG\r\n\x1a\nabc"
    assert filled(form, body=Upload("a.jpg", b"\xff\xd8\xff", "image/jpeg")) == b"\xff\xd8\xff"
    with pytest.raises(BadInput, match="choose a file"):
        fill(form, {})


def test_a_files_own_media_type_counts_where_nobody_says_another(tmp_path: Path) -> None:
    form = form_of(tmp_path, b"\x89PNG\r\n\x1a\nabc", "examples/cat.png")
    chosen: Shown = {"f.body": [Upload("a.jpg", b"x", "image/jpeg")]}
    assert uploaded_type(form, {**chosen, CONTENT_TYPE: ["image/png"]}) == "image/jpeg"
    assert uploaded_type(form, {**chosen, CONTENT_TYPE: ["image/tiff"]}) == ""
    assert uploaded_type(form, {**chosen, MODE: ["raw"]}) == ""
    assert uploaded_type(form, {"f.body": [Upload("a", b"x", "image/x\r\nh: v")]}) == ""


def test_a_file_in_json_is_sent_in_base64(tmp_path: Path) -> None:
    picture = "iVBORw0KGgo" + "A" * 80
    form = form_of(tmp_path, json.dumps({"a": picture, "b": f"data:image/png;base64,{picture}"}))
    upload = Upload("a.png", b"abc", "image/webp")
    assert json.loads(filled(form, a=upload)) == {
        "a": "YWJj",
        "b": f"data:image/png;base64,{picture}",
    }
    assert json.loads(filled(form, b=upload))["b"] == "data:image/webp;base64,YWJj"


def test_a_grid_of_csv_is_sent_as_lines_or_as_it_was(tmp_path: Path) -> None:
    form = form_of(tmp_path, "5.1, 3.5\r\n4.9,3.0\r\n", "examples/a.csv")
    assert filled(form) == b"5.1, 3.5\r\n4.9,3.0\r\n"
    assert filled(form, body="5.1, 3.5\n4.9,3.0\n") == b"5.1, 3.5\r\n4.9,3.0\r\n"
    assert filled(form, body="1\t2\n3\t4.50") == b"1,2\n3,4.50\n"
    assert mistake(form, body="1,x") == ("f.body", "'x' is not a number")


def test_the_raw_body_is_sent_whatever_the_fields_hold(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"a": 1}\r\n')
    raw = {MODE: ["raw"], "f.a": ["x"]}
    assert fill(form, {**raw, RAW_TEXT: ["no {json"]}) == b"no {json"
    assert fill(form, {**raw, RAW_TEXT: ['{"a": 1}\n']}) == b'{"a": 1}\r\n', "an example as it was"
    assert fill(form, {**raw, RAW_FILE: [Upload("x", b"\xff")], RAW_TEXT: ["y"]}) == b"\xff"
    assert fill(form, {**raw, RAW_FILE: [Upload("", b"")], RAW_TEXT: ["y"]}) == b"y"
    with pytest.raises(BadInput, match="broken character"):
        fill(form, {**raw, RAW_TEXT: ["\udfff"]})


def test_a_browsers_form_is_read_with_its_files_and_line_ends(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"a": "one\\ntwo\\nthree"}')
    file = UploadFile(
        io.BytesIO(b"abc"), filename="a.bin", headers=Headers({"content-type": "image/png"})
    )
    data = FormData([("f.a", "one\r\ntwo\r\nthree"), ("x", file), ("y", "1"), ("y", "2")])
    assert fill(form, data) == b'{"a": "one\\ntwo\\nthree"}'
    assert submitted(data)["x"] == [Upload("a.bin", b"abc", "image/png")]
    assert submitted(data)["y"] == ["1", "2"]


def test_a_body_of_another_shape_is_shown_raw(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"a": 1}')
    for body in (b'{"a": 1, "b": 2}', b"[1]", b'{"a": "1"}', b"no json", b'{"a": 1e400}'):
        values = values_of(form, body)
        assert (values[MODE], values[RAW_TEXT]) == (["raw"], [body.decode()])
        assert fill(form, values) == body
    binary = values_of(form, b"\xff\x00")
    assert (binary[MODE], binary[RAW_TEXT]) == (["raw"], [""])


def test_a_body_of_the_forms_shape_is_shown_in_the_fields(tmp_path: Path) -> None:
    form = form_of(tmp_path, '{"a": 1, "b": ["x"]}')
    values = values_of(form, b'{"b":["y","z"],"a":77}')
    assert (values[MODE], values["f.a"], values["f.b"]) == (["form"], ["77"], ["y\nz"])
    assert values[CONTENT_TYPE] == ["application/json"]


def test_a_secret_of_a_body_is_not_shown_again(tmp_path: Path) -> None:
    ui = {"ui": {"fields": [{"name": "key", "secret": True}, {"name": "a", "default": 1}]}}
    form = form_of(tmp_path, json.dumps(ui), "code/sagelet-ui.json")
    values = values_of(form, b'{"key":"hunter2","a":2}')
    assert (values["f.a"], values["f.key"]) == (["2"], [""])
    assert values[RAW_TEXT] == ['{"key":"","a":2}']
