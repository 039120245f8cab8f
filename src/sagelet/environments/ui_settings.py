"""`ui:` of the configuration: the predict form in words, checked as far as nothing is served.

It travels with the model (see `deploy.form_settings`), so the daemon reads it again, perhaps from
an archive that somebody else has made: the same classes check it there.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

HOLE = re.compile(r"\{([^{}]+)\}")
"""A place of the body that a field fills: a text that is nothing but the field's name in braces."""

FieldType = Literal[
    "text",
    "textarea",
    "number",
    "integer",
    "switch",
    "tags",
    "select",
    "radio",
    "checkboxes",
    "image",
    "audio",
    "file",
    "json",
    "csv",
    "date",
    "slider",
    "secret",
    "numbers",
    "grid",
    "rows",
]
Renderer = Literal[
    "bars", "grams", "spans", "rows", "table", "matrix", "picture", "number", "text", "tree"
]
Scalar = str | bool | int | float | None

_CHOICES = frozenset({"select", "radio", "checkboxes"})
_NUMBERS = frozenset({"number", "integer", "slider"})
_LISTS = frozenset({"numbers", "grid", "rows"})
_LONGEST_NAME = 100
_JSON = "json"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UiField(_Strict):
    """One field. Its type follows from its default, unless it is said."""

    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, pattern=r"^[^{}]+$")]
    default: Any = None
    type: FieldType | None = None
    label: str = ""
    options: tuple[Scalar, ...] | None = None
    multiple: bool = False
    min: float | int | None = None
    max: float | int | None = None
    step: Annotated[float, Field(gt=0)] | Annotated[int, Field(gt=0)] | None = None
    help: str = ""
    placeholder: str = ""
    secret: bool = False

    @field_validator("default", mode="before")
    @classmethod
    def _default_is_json(cls, value: object) -> object:
        return as_json_value(value)

    @field_validator("options", mode="before")
    @classmethod
    def _options_are_single_values(cls, value: object) -> object:
        if not isinstance(value, list | tuple) or not value:
            raise ValueError("`options` is a list with at least one value")
        if any(isinstance(each, list | dict) for each in value):
            raise ValueError("an option is a single value: a text, a number, true, false or null")
        return tuple(as_json_value(each) for each in value)

    @model_validator(mode="after")
    def _fits(self) -> UiField:
        if self.type in _CHOICES and self.options is None:
            raise ValueError(f"a field of type {self.type} needs `options`")
        if self.multiple and self.options is None:
            raise ValueError("`multiple` needs `options`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` {self.min} is above `max` {self.max}")
        if self.type == "slider":
            self._check_slider()
        self._check_default()
        return self

    def _check_slider(self) -> None:
        """Refuse what a browser's slider would move to a place of its own."""
        if self.min is None or self.max is None:
            raise ValueError("a slider needs `min` and `max`")
        if not isinstance(self.default, int | float):
            return
        if not self.min <= self.default <= self.max:
            raise ValueError("the default of a slider is between `min` and `max`")
        steps = 0.0 if self.step is None else (self.default - self.min) / self.step
        if not math.isclose(steps, round(steps), abs_tol=1e-9):
            raise ValueError(f"the default is not a whole number of steps from {self.min}")

    def _check_default(self) -> None:
        value = self.default
        if self.options is not None and value is not None:
            chosen = value if isinstance(value, list) else [value]
            for each in chosen:
                if not any(type(each) is type(o) and each == o for o in self.options):
                    raise ValueError(f"the default {each!r} is not among the options")
        if (self.secret or self.type == "secret") and value is not None:
            raise ValueError("a secret has no default: it would be in the model's archive")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.type in _NUMBERS and value is not None and not is_number:
            raise ValueError(f"the default of a {self.type} must be a number, not {value!r}")
        if self.type in _LISTS and not (isinstance(value, list) and value):
            raise ValueError(
                f"a field of type {self.type} needs a list as default: it is the pattern"
            )
        if self.type == "switch" and not isinstance(value, bool | None):
            raise ValueError(f"the default of a switch is true or false, not {value!r}")


class UiOutput(_Strict):
    """How answers are shown, where that does not follow from the answer."""

    labels: tuple[str, ...] = ()
    unit: str = ""
    renderer: Renderer | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_template(cls, value: object) -> object:
        if isinstance(value, Mapping) and "template" in value:
            raise ValueError("`template` is not served: templates of one's own are not possible")
        return value


class UiSettings(_Strict):
    """`ui:` the predict form, and what its page says. Example paths are relative to the project."""

    title: str = ""
    description: str = ""
    fields: tuple[UiField, ...] = ()
    body: Any = None
    content_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+*-]+(\s*;.*)?$")] | None = None
    accept: Annotated[str, Field(pattern=r"^[\w.+*-]+/[\w.+*-]+(\s*[,;].*)?$")] | None = None
    examples: tuple[str, ...] = ()
    output: UiOutput = UiOutput()

    @field_validator("body", mode="before")
    @classmethod
    def _body_is_json(cls, value: object) -> object:
        return as_json_value(value)

    @field_validator("fields")
    @classmethod
    def _names_differ(cls, value: tuple[UiField, ...]) -> tuple[UiField, ...]:
        names = [field.name for field in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two fields are named {name!r}")
        return value

    @field_validator("examples")
    @classmethod
    def _examples_are_inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"{path!r} is not a path inside the project")
        return value

    @model_validator(mode="after")
    def _body_has_holes(self) -> UiSettings:
        if self.body is None:
            return self
        if not self.fields:
            raise ValueError("`body` has holes for `fields`, and there are none")
        if _JSON not in (self.content_type or _JSON):
            raise ValueError(f"`body` is JSON, and `content_type` is {self.content_type}")
        holes = [*_holes(self.body_value())]
        names = {field.name for field in self.fields}
        for name in names:
            if holes.count(name) != 1:
                times = "is not" if name not in holes else "stands more than once"
                raise ValueError(f'the field {name!r} {times} in `body`: write "{{{name}}}" once')
        return self

    def body_value(self) -> Any:  # noqa: ANN401  any JSON
        """Return the body as a value; one that is written as JSON text is read.

        Raises:
            ValueError: it is neither JSON nor a hole.
        """
        if not isinstance(self.body, str) or HOLE.fullmatch(self.body.strip()):
            return self.body
        try:
            return json.loads(self.body)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise ValueError(f"`body` is not JSON: {place}: {error.msg}") from error


def as_json_value(value: object) -> object:
    """Return a value of YAML as JSON has it: a date is a text.

    Raises:
        ValueError: it is, or holds, what JSON has not.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise ValueError("JSON has no NaN and no Infinity")
            return value
        case datetime.datetime():
            raise ValueError("write a time in quotes: JSON has none")
        case datetime.date():
            return value.isoformat()
        case list() | tuple():
            return [as_json_value(each) for each in value]
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise ValueError("the keys of an object are texts: write them in quotes")
            return {key: as_json_value(each) for key, each in value.items()}
        case _:
            raise ValueError(f"{value!r} is nothing that JSON has")


def _holes(value: object) -> Iterator[str]:
    match value:
        case str():
            found = HOLE.fullmatch(value.strip())
            if found is not None:
                yield found[1]
        case list():
            for each in value:
                yield from _holes(each)
        case dict():
            for each in value.values():
                yield from _holes(each)
        case _:
            return
