"""One endpoint's call as OpenAPI 3.1 has it: what is sent, what comes back, and who may."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sagelet import __version__
from sagelet.domain.media import JSON, OCTETS, essence
from sagelet.web.api.statuses import ERRORS
from sagelet.web.faults import MEDIA_TYPE
from sagelet.web.forms import Example, Form

_INPUT = "#/components/schemas/Input"
_TEXTS = ("text/", "application/json", "application/jsonlines", "application/xml")
# Below these keywords stand values, in which "$ref" is a word like any other.
_VALUES = frozenset({"const", "enum", "default", "example", "examples"})
# Below these stand schemas by names that people chose, which may be any keyword's.
_BY_NAME = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_HEADERS = {
    "x-request-id": ("The call's id, by which the log and the history know it.", "string"),
    "x-model-latency-ms": ("How long the model took, in milliseconds.", "number"),
    "x-model-version": ("The generation of code and model that answered.", "integer"),
    "server-timing": ("Where the time went.", "string"),
}


def openapi_of(form: Form, *, address: str, title: str, variants: Sequence[str]) -> dict[str, Any]:
    """Return the document; `address` is the daemon's, without a slash at its end."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": f"Predictions of the endpoint {form.endpoint}, served by Sagelet.",
        },
        "servers": [{"url": address}],
        "security": [{"bearer": []}, {"key": []}],
        "paths": {
            f"/api/v1/predict/{quote(form.endpoint, safe='')}": {
                "post": {
                    "operationId": "predict",
                    "summary": "Predict",
                    "parameters": _parameters(variants),
                    "requestBody": {"required": True, "content": _contents(form)},
                    "responses": _responses(form),
                }
            }
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {"Input": _input(form.schema), "Problem": _PROBLEM},
        },
    }


def _parameters(variants: Sequence[str]) -> list[dict[str, Any]]:
    if len(variants) < 2:
        return []
    return [
        {
            "name": "variant",
            "in": "query",
            "description": "Ask this production variant.",
            "schema": {"type": "string", "enum": list(variants)},
        }
    ]


def _contents(form: Form) -> dict[str, Any]:
    """Return what may be sent, by content type; the schema is of the form's own one."""
    usual = essence(form.content_type) or OCTETS
    types = [
        usual,
        *map(essence, form.content_types),
        *(essence(e.content_type) for e in form.examples),
    ]
    contents: dict[str, Any] = {}
    for content_type in dict.fromkeys(filter(None, types)):
        content: dict[str, Any] = {}
        if content_type == usual and usual == JSON:
            content["schema"] = {"$ref": _INPUT}
        elif content_type.startswith(_TEXTS):
            content["schema"] = {} if content_type == JSON else {"type": "string"}
        examples = [each for each in form.examples if essence(each.content_type) == content_type]
        shown = {each.name: shown for each in examples if (shown := _example(each)) is not None}
        contents[content_type] = content | ({"examples": shown} if shown else {})
    return contents


def _example(example: Example) -> dict[str, Any] | None:
    """Return an example; None for one that JSON cannot hold."""
    try:
        text = example.body.decode("utf-8")
        value = json.loads(text) if essence(example.content_type) == JSON else text
        json.dumps(value, allow_nan=False)
    except ValueError:
        return None
    return {"summary": example.title or example.name, "value": value}


def _responses(form: Form) -> dict[str, Any]:
    headers = {
        name: {"description": text, "schema": {"type": kind}}
        for name, (text, kind) in _HEADERS.items()
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {
        str(each.code): {"description": f"{each.when} {each.then}", "content": content}
        for each in ERRORS
    }
    answer = essence(form.accept) or "*/*"
    return {
        "200": {
            "description": "What the model answered, as it answered it.",
            "headers": headers,
            "content": {answer: {}},
        },
        **problems,
    }


def _input(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401  a schema is an object or a truth value
    """Return a schema whose references to itself lead to where it stands in the document."""
    return _moved({name: value for name, value in schema.items() if name != "$schema"})


def _moved(part: Any) -> Any:  # noqa: ANN401  any part of a schema
    if isinstance(part, Mapping):
        return {name: _moved_member(name, value) for name, value in part.items()}
    return [_moved(item) for item in part] if isinstance(part, list | tuple) else part


def _moved_member(name: str, value: Any) -> Any:  # noqa: ANN401  any part of a schema
    if name in _VALUES:
        return value
    if name in _BY_NAME and isinstance(value, Mapping):
        return {own: _moved(schema) for own, schema in value.items()}
    if name == "$ref" and isinstance(value, str) and value.startswith("#"):
        return _INPUT + value[1:]
    return _moved(value)


_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string", "description": "The same as detail."},
        "request_id": {"type": "string"},
        "original_status": {"type": "integer", "description": "The model's own status."},
        "handler": {"type": ["string", "null"], "description": "Which handler has failed."},
        "where": {"type": ["string", "null"], "description": "Its file:line."},
    },
}
