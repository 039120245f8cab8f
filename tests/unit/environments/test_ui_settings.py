"""`ui:` is checked as the rest of the configuration is: with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.environments.config import load
from sagelet.environments.ui_settings import UiSettings
from sagelet.errors import BadConfig


def read(tmp_path: Path, text: str) -> UiSettings:
    (tmp_path / "sagelet.yml").write_text(f"environments: {{}}\nui:\n{text}", encoding="utf-8")
    return load(start=tmp_path, environ={}).ui


WHOLE = """\
  title: A title
  description: "*Words*"
  fields:
    - {name: text, default: hello, help: One sentence., placeholder: Say something}
    - {name: day, type: date, default: 2026-03-14}
    - {name: k, default: 3, min: 1, max: 9, step: 2}
    - name: kind
      options: [a, 1, true, null]
  body: {inputs: ["{text}"], "on": "{day}", parameters: {k: "{k}", kind: "{kind}"}}
  content_type: application/json; charset=utf-8
  accept: application/json
  examples: [tests/payloads/one.json]
  output: {labels: [no, "yes"], unit: °C, renderer: bars}
"""


def test_the_whole_example_is_valid(tmp_path: Path) -> None:
    text = WHOLE.replace("[no,", '["no",')
    ui = read(tmp_path, text)
    assert [field.name for field in ui.fields] == ["text", "day", "k", "kind"]
    assert ui.fields[1].default == "2026-03-14"
    assert ui.fields[3].options == ("a", 1, True, None)
    assert ui.output.labels == ("no", "yes")


def test_booklets_features_are_valid_as_they_stand(tmp_path: Path) -> None:
    ui = read(
        tmp_path,
        "  fields:\n  - name: Sex\n    default: male\n    options: [male, female]\n"
        "  - name: Fare\n    default: 32.5\n",
    )
    assert [field.default for field in ui.fields] == ["male", 32.5]


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("  feilds: []\n", "line 3, ui.feilds", "did you mean 'fields'?"),
        ("  fields: 3\n", "line 3, ui.fields", "valid"),
        ("  fields:\n    - {default: 3}\n", "line 4, ui.fields.0", "`name:` is missing"),
        (
            "  fields:\n    - {name: a}\n    - {name: b,\n       lable: B}\n",
            "line 6, ui.fields.1.lable",
            "did you mean 'label'?",
        ),
        (
            "  fields:\n  - name: a\n    type: txet\n",
            "line 5, ui.fields.0.type",
            "'text'",
        ),
        ("  fields: [{name: a, options: []}]\n", "ui.fields.0.options", "at least one"),
        ("  fields: [{name: a, options: [[1]]}]\n", "ui.fields.0.options", "a single value"),
        ("  fields: [{name: a, options: [x], default: y}]\n", "ui.fields.0", "not among"),
        ("  fields: [{name: a, options: [1], default: true}]\n", "ui.fields.0", "not among"),
        ("  fields: [{name: a, type: select}]\n", "ui.fields.0", "needs `options`"),
        ("  fields: [{name: a, multiple: true}]\n", "ui.fields.0", "needs `options`"),
        ("  fields: [{name: a, min: 3, max: 1}]\n", "ui.fields.0", "`min` 3 is above `max` 1"),
        ("  fields: [{name: a, step: 0}]\n", "ui.fields.0.step", "greater than 0"),
        ("  fields: [{name: a, type: slider}]\n", "ui.fields.0", "needs `min` and `max`"),
        (
            "  fields: [{name: a, type: slider, min: 0, max: 1, default: 2}]\n",
            "ui.fields.0",
            "between `min` and `max`",
        ),
        (
            "  fields: [{name: a, type: slider, min: 0, max: 1, step: 0.5, default: 0.7}]\n",
            "ui.fields.0",
            "steps",
        ),
        ("  fields: [{name: a, type: number, default: x}]\n", "ui.fields.0", "a number"),
        ("  fields: [{name: a, type: switch, default: 1}]\n", "ui.fields.0", "true or false"),
        ("  fields: [{name: a, type: grid}]\n", "ui.fields.0", "needs a list"),
        ("  fields: [{name: a, secret: true, default: x}]\n", "ui.fields.0", "no default"),
        ("  fields: [{name: a, type: secret, default: x}]\n", "ui.fields.0", "no default"),
        ("  fields: [{name: a, default: .nan}]\n", "ui.fields.0.default", "no NaN"),
        ("  fields: [{name: a, default: 2026-01-01 10:00:00}]\n", "default", "in quotes"),
        ("  fields: [{name: 'a{b}'}]\n", "ui.fields.0.name", "pattern"),
        ("  fields: [{name: a}, {name: a}]\n", "line 3, ui.fields", "two fields are named 'a'"),
        ("  body: {a: 1}\n", "ui", "there are none"),
        ("  fields: [{name: a}]\n  body: {x: 1}\n", "ui", "'a' is not in `body`"),
        ("  fields: [{name: a}]\n  body: ['{a}', '{a}']\n", "ui", "stands more than once"),
        ("  fields: [{name: a}]\n  body: '[{a}'\n", "ui", "`body` is not JSON: line 1, column 3"),
        ("  fields: [{name: a}]\n  body: {1: '{a}'}\n", "line 4", "a key must be text, not '1'"),
        (
            "  fields: [{name: a}]\n  body: '{a}'\n  content_type: text/csv\n",
            "ui",
            "`body` is JSON, and `content_type` is text/csv",
        ),
        ("  content_type: json\n", "line 3, ui.content_type", "pattern"),
        ("  examples: [../x.json]\n", "line 3, ui.examples", "not a path inside the project"),
        ("  output: {template: out.html.j2}\n", "line 3, ui.output", "`template` is not served"),
        ("  output: {renderer: pie}\n", "line 3, ui.output.renderer", "'bars'"),
        ("  output: {lables: []}\n", "line 3, ui.output.lables", "did you mean 'labels'?"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    text: str, where: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, text)
    assert where in str(caught.value)
    assert problem in str(caught.value)


def test_lists_elsewhere_are_as_free_as_they_were(tmp_path: Path) -> None:
    text = "environments:\n  local: {mine: [{1: a}, {b: 1, b: 2}]}\n"
    (tmp_path / "sagelet.yml").write_text(text, encoding="utf-8")
    settings = load(start=tmp_path, environ={}).environment("local", flags={}, environ={})
    assert settings.raw["mine"] == [{1: "a"}, {"b": 2}]
