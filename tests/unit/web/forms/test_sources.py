"""Each source of a form, and which of them goes first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sagelet.web.forms.form import Encoding, Form
from sagelet.web.forms.json_text import NOT_A_NUMBER
from tests.form_models import a_folder, a_form, begins_as

ARTICLE = '[["The Wimbledon tennis tournament starts next week!"], ["The Canadian President"]]\n'
UI = json.dumps({"ui": {"fields": [{"name": "text", "default": "hi"}]}})
SCHEMA = json.dumps({"type": "object", "properties": {"age": {"type": "integer"}}})
HINTED = "class Body(TypedDict):\n    color: str\ndef input_fn(body, kind) -> Body: ...\n"
READS = 'def input_fn(body, kind):\n    return json.loads(body)["speed"]\n'
EVERYTHING: dict[str, str | bytes] = {
    "code/sagelet-ui.json": UI,
    "code/schema.json": SCHEMA,
    "code/inference.py": HINTED,
    "code/examples/one.json": '{"size": 1}',
}


def kinds(form: Form) -> dict[str, str]:
    return {field.key: str(field.kind) for field in form.fields}


def test_the_first_source_that_knows_something_makes_the_form(tmp_path: Path) -> None:
    files = dict(EVERYTHING)
    expected = [
        ("code/sagelet-ui.json", "ui", "text"),
        ("code/schema.json", "schema", "age"),
        ("code/inference.py", "types", "color"),
        ("code/examples/one.json", "examples", "size"),
    ]
    for number, (name, source, field) in enumerate(expected):
        form = a_form(tmp_path / str(number), files)
        assert (form.source.kind, form.fields[0].name) == (source, field)
        del files[name]
    files["code/inference.py"] = READS
    form = a_form(tmp_path / "code", files)
    assert (form.source.kind, form.fields[0].name) == ("code", "speed")
    free = a_form(tmp_path / "free", {"model.pth": "weights"})
    assert (free.source.kind, free.fields, free.encoding) == ("free", (), Encoding.TEXT)


def test_the_articles_payload_is_a_text_for_each_row(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"code/tests/payloads/wimbledon.json": ARTICLE})
    (field,) = form.fields
    assert (field.kind, [column.key for column in field.columns]) == ("rows", ["f.inputs[].text"])
    assert form.source.text == "inferred from tests/payloads/wimbledon.json"
    assert begins_as(form) == ARTICLE.encode()
    assert form.schema["items"]["items"] == {"type": "string"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('{"a": 1, "b": 1.5, "c": "x", "d": true}', ["integer", "number", "text", "switch"]),
        ('{"a": "' + "long " * 20 + '", "b": "two\\nlines"}', ["textarea", "textarea"]),
        ('{"day": "2026-03-14", "no": "2026-02-30"}', ["date", "text"]),
        ("[1, 2.5, 3]", ["numbers"]),
        ("[[1, 2], [3, 4]]", ["grid"]),
        ("[[1, 2], [3]]", ["json"]),
        ("[[[1]]]", ["json"]),
        ('["red", "green"]', ["tags"]),
        ('["a text, with a comma"]', ["rows"]),
        ('[{"age": 3, "name": "x"}, {"age": 4, "name": "y"}]', ["rows"]),
        ('[["x", 1], ["y", 2]]', ["rows"]),
        ('[{"a": {"deep": 1}}]', ["json"]),
        ('{"a": {"b": {"c": 1}}}', ["json"]),
        ('{"a": {"b": 1}}', ["integer"]),
        ('{"instances": [{"x": 1}, {"x": 2}]}', ["rows"]),
        ('{"x": null}', ["json"]),
        ('{"a": "\\u0000", "b": "a\\rb", "c": "\\ud800"}', ["json", "json", "json"]),
        ('{"a": 1, "a": 2}', ["json"]),
        ("{}", ["json"]),
        ("[]", ["json"]),
        ('"a text"', ["text"]),
        ("12345678901234567890", ["integer"]),
    ],
)
def test_an_example_becomes_inputs(payload: str, expected: list[str], tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/one.json": payload})
    assert [*kinds(form).values()] == expected
    assert begins_as(form) == payload.encode()


def test_two_examples_are_merged_and_what_only_one_has_may_be_left_out(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": '{"x": 1}', "examples/b.json": '{"x": 2, "y": 3}'})
    assert kinds(form) == {"f.x": "integer", "f.y": "integer"}
    assert begins_as(form) == b'{"x": 1}'
    assert form.schema["required"] == ["x"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "encoding"),
    [
        ("a.csv", "5.1,3.5\n4.9,3.0\n", "grid", "csv"),
        ("a.csv", "name,age\nx,3\n", "csv", "text"),
        ("a.txt", "hello\n", "textarea", "text"),
        ("a.png", b"\x89PNG\r\n\x1a\n123", "image", "file"),
        ("a.wav", b"RIFF1234", "audio", "file"),
        ("a.parquet", b"PAR1", "file", "file"),
        ("a.npy", b"no array at all", "file", "file"),
        ("a.xml", b"\xff\xfe", "file", "file"),
    ],
)
def test_an_example_that_is_no_json_is_sent_as_it_is(
    name: str, content: str | bytes, kind: str, encoding: str, tmp_path: Path
) -> None:
    form = a_form(tmp_path, {f"code/examples/{name}": content})
    assert (form.fields[0].kind, form.encoding) == (kind, encoding)
    assert begins_as(form) == (content.encode() if isinstance(content, str) else content)


def test_a_picture_in_base64_is_a_file_to_choose(tmp_path: Path) -> None:
    picture = "iVBORw0KGgo" + "A" * 80
    payload = json.dumps({"image": picture, "url": f"data:image/png;base64,{picture}"})
    form = a_form(tmp_path, {"examples/a.json": payload})
    assert kinds(form) == {"f.image": "image", "f.url": "image"}
    assert [field.is_data_url for field in form.fields] == [False, True]
    assert begins_as(form) == payload.encode()


def test_a_model_cards_widgets_are_examples(tmp_path: Path) -> None:
    card = "---\nwidget:\n- text: Hello\n  example_title: Greeting\n- src: https://x/y.png\n---\n"
    form = a_form(tmp_path, {"README.md": card})
    (example,) = form.examples
    assert (example.title, example.body) == ("Greeting", b'{"inputs":"Hello"}')


def test_front_matter_that_would_explode_is_not_read(tmp_path: Path) -> None:
    card = "---\na: &a [x, x]\nb: &b [*a, *a]\nwidget: [*b]\n---\n"
    assert a_form(tmp_path, {"README.md": card}).examples == ()


def test_recorded_answers_and_documents_are_no_examples(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "code/tests/payloads/a.json": "[1]",
        "code/tests/payloads/a.answer.json": "[2]",
        "code/tests/payloads/README.md": "words",
        "code/tests/payloads/.hidden.json": "[3]",
        "code/examples/run.py": "import os",
    }
    assert [each.name for each in a_form(tmp_path, files).examples] == ["a"]


def test_an_example_that_is_not_json_is_told_of(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": "[NaN]", "examples/b.json": "[1]"})
    assert form.fields[0].kind == "numbers"
    assert form.source.problems == (
        f"examples/a.json is not used: line 1, column 2: {NOT_A_NUMBER}",
    )


def test_large_examples_are_passed_over(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"examples/a.json": b"[" + b" " * 3 * 2**20 + b"]"})
    assert (form.examples, form.source.kind) == ((), "free")


def test_a_link_out_of_an_archive_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("[1]")
    folder = a_folder(tmp_path / "model", {"examples/own.json": "[2]"})
    (folder.root / "examples/stolen.json").symlink_to(tmp_path / "secret.json")
    (folder.root / "code").symlink_to(tmp_path)
    inside = a_form(tmp_path / "model", {}, may_leave=False)
    assert [each.name for each in inside.examples] == ["own"]
    staged = a_form(tmp_path / "model", {}, may_leave=True)
    assert {each.name for each in staged.examples} == {"own", "stolen"}


def test_settings_list_their_examples_and_none_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("[1]")
    places = ["../outside.json", "/etc/passwd", "code/one.json", 3, "code/gone.json"]
    document = {"ui": {"title": "T"}, "examples": places}
    files: dict[str, str | bytes] = {
        "code/sagelet-ui.json": json.dumps(document),
        "code/one.json": "[1, 2]",
        "code/examples/other.json": "[3]",
    }
    form = a_form(tmp_path / "model", files)
    assert ([each.path for each in form.examples], form.title) == (["one.json"], "T")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("no json", "line 1, column 1"),
        ("[1]", "it is no object"),
        ('{"ui": {"feilds": []}}', "feilds: Extra inputs are not permitted"),
        ('{"ui": {"fields": [{"name": "x", "default": 1, "type": "switch"}]}}', "fields.0: "),
    ],
)
def test_settings_that_make_no_sense_are_told_of_and_not_used(
    settings: str, problem: str, tmp_path: Path
) -> None:
    form = a_form(tmp_path, {"code/sagelet-ui.json": settings, "examples/a.json": "[1]"})
    assert form.source.kind == "examples"
    assert problem in form.source.problems[0]


def test_a_schema_gives_limits_choices_words_and_what_may_be_left_out(tmp_path: Path) -> None:
    schema: dict[str, Any] = {
        "$defs": {"Age": {"type": "integer", "minimum": 0, "maximum": 120, "description": "Years"}},
        "type": "object",
        "properties": {
            "age": {"$ref": "#/$defs/Age", "title": "Age of the person"},
            "sex": {"enum": ["f", "m", 5, "5", None]},
            "size": {"enum": ["s", "m"]},
            "mail": {"type": ["string", "null"]},
            "limit": {"type": "number", "default": 0.5},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
            "far": {"$ref": "https://example.org/other.json"},
        },
        "required": ["age", "mail"],
    }
    form = a_form(tmp_path, {"code/schema.json": json.dumps(schema)})
    age, sex, size, *_ = form.fields
    assert (age.label, age.minimum, age.maximum, age.help) == (
        "Age of the person",
        "0",
        "120",
        "Years",
    )
    assert [(each.value, each.token) for each in sex.options] == [
        ("f", '"f"'),
        ("m", '"m"'),
        ("5", "5"),
        ('"5"', '"5"'),
        ("null", "null"),
    ]
    assert (sex.kind, size.kind) == ("select", "radio")
    assert [str(field.unset) for field in form.fields][:5] == [
        "keep",
        "omit",
        "omit",
        "null",
        "omit",
    ]
    assert kinds(form)["f.tags"] == "checkboxes"
    assert begins_as(form) == b'{"age":0,"mail":null,"limit":0.5}'


def test_a_literal_schema_in_the_script_is_read(tmp_path: Path) -> None:
    script = 'INPUT_SCHEMA = {"type": "array", "items": {"type": "number"}}\n'
    form = a_form(tmp_path, {"code/inference.py": script})
    assert (form.source.text, form.fields[0].kind) == (
        "from INPUT_SCHEMA in the script",
        "numbers",
    )


def test_a_schema_begins_as_an_example_that_is_like_it(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"code/schema.json": SCHEMA, "code/examples/a.json": '{ "age": 41 }'})
    assert begins_as(form) == b'{ "age": 41 }'


@pytest.mark.parametrize("schema", ["[]", '{"x": 1}', "no", '{"type": "object", "default": 1e999}'])
def test_a_schema_that_is_none_is_told_of(schema: str, tmp_path: Path) -> None:
    form = a_form(tmp_path, {"code/schema.json": schema})
    assert form.source.kind == "free"
    assert form.source.problems


def test_a_schema_that_holds_itself_ends(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert a_form(tmp_path, {"code/schema.json": json.dumps(schema)}).fields


HINTS = """
from dataclasses import dataclass, field
from enum import Enum

class Speed(str, Enum):
    FAST = "fast"
    SLOW = "slow"

class Base(BaseModel):
    model_config = {}
    _private: int = 1
    text: str = Field(description="What is said", max_length=100)

class Body(Base):
    top_k: Annotated[int, Ge(0), Le(9)] = 3
    limit: float = Field(0.5, ge=0, le=1)
    mode: Literal["a", "b", 3] = "a"
    speed: Speed
    mail: Optional[str]
    other: "int | None" = None
    day: datetime.date
    words: list[str] = []
    place: tuple[float, float]

def input_fn(body, content_type) -> Body: ...
"""


def test_classes_that_handlers_take_are_read_without_running_anything(tmp_path: Path) -> None:
    form = a_form(tmp_path, {"code/inference.py": HINTS + "\nraise SystemExit\n"})
    fields = {field.name: field for field in form.fields}
    assert form.source.text == "from the type hints of input_fn"
    assert kinds(form) == {
        "f.text": "text",
        "f.top_k": "integer",
        "f.limit": "number",
        "f.mode": "radio",
        "f.speed": "radio",
        "f.mail": "text",
        "f.other": "integer",
        "f.day": "date",
        "f.words": "tags",
        "f.place": "numbers",
    }
    assert (fields["top_k"].minimum, fields["top_k"].maximum) == ("0", "9")
    assert (fields["limit"].minimum, fields["limit"].maximum) == ("0", "1")
    assert [each.token for each in fields["mode"].options] == ['"a"', '"b"', "3"]
    assert fields["text"].help == "What is said"
    assert str(fields["mail"].unset) == "null"


@pytest.mark.parametrize(
    "script",
    [
        "@dataclass\nclass B:\n    a: int\ndef predict_fn(data: list[B], model): ...\n",
        "class B(TypedDict, total=False):\n    a: Required[int]\n"
        "def predict_fn(data: Sequence[B], model): ...\n",
        "class B(msgspec.Struct):\n    a: int\nAlias = list[B]\n"
        "def predict_fn(data: Alias, model): ...\n",
    ],
)
def test_a_list_of_a_class_is_a_table(script: str, tmp_path: Path) -> None:
    form = a_form(tmp_path, {"code/inference.py": script})
    assert [column.name for column in form.fields[0].columns] == ["a"]
    assert begins_as(form) == b'[{"a":0}]'


@pytest.mark.parametrize(
    "script",
    [
        "def input_fn(body, kind) -> list[str]: ...\n",
        "def input_fn(body, kind) -> torch.Tensor: ...\n",
        "class A:\n    pass\ndef input_fn(body, kind) -> A: ...\n",
        "def input_fn(body, kind: ...\n",
        "class A(TypedDict):\n    a: 'A'\ndef input_fn(body, kind) -> 'dict[str, A]': ...\n",
        "",
    ],
)
def test_hints_that_do_not_tell_the_body_are_none(script: str, tmp_path: Path) -> None:
    assert a_form(tmp_path, {"code/inference.py": script}).source.kind == "free"


@pytest.mark.parametrize(
    ("body", "encoding", "names", "content_type"),
    [
        ('d = json.loads(b)\n    return d["text"], d.get("k", 5)', "json", ["text", "k"], None),
        ("return [row[0] for row in json.loads(b)]", "json", ["inputs"], None),
        ("return np.load(BytesIO(b))", "file", ["file"], "application/x-npy"),
        ("return Image.open(io.BytesIO(b))", "file", ["image"], "image/png"),
        (
            'if kind == "image/jpeg":\n        return Image.open(io.BytesIO(b))',
            "file",
            ["image"],
            "image/jpeg",
        ),
        ("return pd.read_csv(StringIO(b))", "text", ["csv"], "text/csv"),
    ],
)
def test_what_input_fn_does_with_a_body_is_a_hint(
    body: str, encoding: str, names: list[str], content_type: str | None, tmp_path: Path
) -> None:
    form = a_form(tmp_path, {"code/inference.py": f"def input_fn(b, kind):\n    {body}\n"})
    assert (form.source.kind, form.encoding) == ("code", encoding)
    assert [field.name for field in form.fields] == names
    assert form.content_type == (content_type or "application/json")


def test_content_types_that_input_fn_compares_are_offered(tmp_path: Path) -> None:
    script = (
        "def input_fn(body, request_content_type):\n"
        '    if request_content_type in ("application/json", "application/x-mine"): ...\n'
        '    match request_content_type:\n        case "image/tiff": ...\n'
        "    if request_content_type == content_types.NPY: ...\n"
    )
    types = a_form(tmp_path, {"code/inference.py": script}).content_types
    assert {"application/x-mine", "image/tiff", "application/x-npy"} <= set(types)
