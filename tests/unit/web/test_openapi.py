"""One endpoint's call as OpenAPI, for forms of every kind: always valid, by a public validator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from openapi_spec_validator import validate

from sagelet.domain.media import CSV, JSON
from sagelet.web.api.openapi import openapi_of
from sagelet.web.forms import Example, Form, InferenceSource
from sagelet.web.forms.form import Encoding, SourceKind
from sagelet.web.forms.shapes import Constant

TREE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "$ref": {"type": "string"},
                "default": {"$ref": "#/$defs/node"},
                "kind": {"const": {"$ref": "#/not/a/reference"}},
            },
        }
    },
}


def a_form(
    schema: Mapping[str, Any] | None = None,
    *examples: Example,
    content_type: str = JSON,
    content_types: tuple[str, ...] = (),
) -> Form:
    source = InferenceSource(SourceKind.FREE, "a free one")
    return Form(
        "my model",
        (),
        Constant(""),
        Encoding.TEXT,
        content_type,
        JSON,
        source,
        examples,
        content_types,
        schema or {},
    )


def an_example(body: bytes, content_type: str = JSON, name: str = "one") -> Example:
    return Example(name, "", body, content_type)


def described(form: Form, *variants: str) -> dict[str, Any]:
    document = openapi_of(
        form, address="http://127.0.0.1:7543", title="My model", variants=variants
    )
    text = json.dumps(document, allow_nan=False)
    validate(json.loads(text))
    return document


def body_of(document: Mapping[str, Any]) -> Any:  # noqa: ANN401  any part of it
    return document["paths"]["/api/v1/predict/my%20model"]["post"]["requestBody"]["content"]


@pytest.mark.parametrize(
    "form",
    [
        a_form(),
        a_form({"type": "array", "items": {"type": "number"}}),
        a_form(TREE, an_example(b'{"children": []}')),
        a_form(None, an_example(b"\x93NUMPY\xff", "application/x-npy")),
        a_form(None, an_example(b"1,2\n", CSV), content_type=CSV),
        a_form(None, content_type=""),
        a_form(None, an_example(b"\x89PNG", "image/png"), content_types=("image/jpeg", JSON)),
        a_form(None, an_example(b"not JSON"), an_example(b"[NaN]", name="nan")),
    ],
)
def test_a_form_of_any_kind_is_described_validly(form: Form) -> None:
    described(form)


def test_a_schemas_references_lead_to_where_it_stands_and_values_are_left_alone() -> None:
    schema = described(a_form(TREE))["components"]["schemas"]["Input"]
    assert "$schema" not in schema
    assert schema["$ref"] == "#/components/schemas/Input/$defs/node"
    properties = schema["$defs"]["node"]["properties"]
    assert properties["children"]["items"]["$ref"] == schema["$ref"]
    assert properties["default"]["$ref"] == schema["$ref"]
    assert properties["$ref"] == {"type": "string"}
    assert properties["kind"]["const"] == {"$ref": "#/not/a/reference"}


def test_examples_are_values_and_those_that_json_cannot_hold_are_left_out() -> None:
    contents = body_of(
        described(
            a_form(
                None,
                an_example(b'{"x": 1}'),
                an_example(b"\xff", name="two"),
                an_example(b"a,b", CSV, "three"),
                content_types=("image/png",),
            )
        )
    )
    assert set(contents) == {JSON, CSV, "image/png"}
    assert contents[JSON]["examples"] == {"one": {"summary": "one", "value": {"x": 1}}}
    assert contents[CSV]["examples"]["three"]["value"] == "a,b"
    assert contents["image/png"] == {}


def test_variants_can_be_chosen_where_there_are_some() -> None:
    def names(document: Mapping[str, Any]) -> list[str]:
        post = document["paths"]["/api/v1/predict/my%20model"]["post"]
        return [each["name"] for each in post["parameters"]]

    assert names(described(a_form(), "blue")) == []
    assert names(described(a_form(), "blue", "green")) == ["variant"]
