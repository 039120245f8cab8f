"""What a predict form is: its fields, the body that they are holes of, and where they come from.

    ui settings, schema, types, examples, traffic, code ──> Form ── fill ──> bytes

A form's inputs are named by `Field.key`, and what a browser submits (or what a page shows) is a
mapping from these names to lists of texts: `Values`. Besides the fields' own there are

    content_type, accept   what the body is, and what is wanted back
    body.raw               the raw editor's text
    body.mode              `raw` while the raw editor's text is what is sent, else `form`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sagelet.errors import SageletError
from sagelet.web.forms.fields import Field, Values
from sagelet.web.forms.shapes import Shape
from sagelet.web.forms.showing import for_browser, groups_of, preview_of, rows_of

RAW_TEXT = "body.raw"
RAW_FILE = "body.file"
MODE = "body.mode"
CONTENT_TYPE = "content_type"
ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Example:
    """A payload that came with the model, or was seen. `path` is its file, if it has one."""

    name: str
    title: str
    body: bytes
    content_type: str
    path: str = ""


class SourceKind(StrEnum):
    """Where a form's fields come from, in the order in which the sources are asked."""

    UI = "ui"
    SCHEMA = "schema"
    TYPES = "types"
    EXAMPLES = "examples"
    TRAFFIC = "traffic"
    CODE = "code"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class InferenceSource:
    """Where the fields come from. `text` goes on after "The form is …", such as
    "inferred from tests/payloads/wimbledon.json"; `problems` are sources that were of no use.
    """

    kind: SourceKind
    text: str
    problems: tuple[str, ...] = ()


class Encoding(StrEnum):
    """What the fields become."""

    JSON = "json"
    CSV = "csv"
    NPY = "npy"
    TEXT = "text"
    """The body is the text of the only field."""
    FILE = "file"
    """The body is the file of the only field."""


@dataclass(frozen=True, slots=True)
class Form:
    """How people fill in what an endpoint takes.

    `schema` is the JSON Schema (2020-12) of the body, as far as it is known; `ejected` the `ui:`
    of a configuration file that makes this same form; `output` what `ui.output` says of results.
    `dtype` is of the array that `Encoding.NPY` makes. `before` and `after` are the white space
    around the template; `is_ascii`: a text's other characters are written as escapes.
    """

    endpoint: str
    fields: tuple[Field, ...]
    template: Shape
    encoding: Encoding
    content_type: str
    accept: str
    source: InferenceSource
    examples: tuple[Example, ...] = ()
    content_types: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    ejected: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "<f4"
    is_ascii: bool = False
    before: str = ""
    after: str = ""

    def groups(self) -> Iterator[tuple[str, list[Field]]]:
        """Yield the fields that stand together, with the name of their group."""
        return groups_of(self.fields)

    def rows(self, field: Field, values: Values) -> list[list[str]]:
        """Return the cells of a table, row by row."""
        return rows_of(field, values)

    def preview(self, field: Field, values: Values) -> str:
        """Return the file that an input begins with as a data URL, if it can be shown."""
        return preview_of(self, field, values)

    def for_browser(self) -> dict[str, Any]:
        """Return what the page's script needs to show the bytes that are sent."""
        return for_browser(self)

    def example(self, name: str) -> Example | None:
        """Return an example by its name."""
        return next((each for each in self.examples if each.name == name), None)


class BadInput(SageletError):
    """What was filled in makes no body. `field` is the key of the field to mend (maybe none)."""

    def __init__(self, field: str, message: str, others: Mapping[str, str] | None = None) -> None:
        """Keep them; `others` are further mistakes, by field."""
        super().__init__(message)
        self.field = field
        self.message = message
        self.errors: Mapping[str, str] = {field: message, **(others or {})}

    def sentence(self) -> str:
        """Return the message."""
        return self.message
