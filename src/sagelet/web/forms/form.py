"""What a predict form is: its fields, the body that they are holes of, and where they come from.

    ui settings, schema, types, examples, traffic, code ──> Form ── fill ──> bytes

A form's inputs are named by `Field.key`, and what a browser submits (or what a page shows) is a
mapping from these names to lists of texts: `Values`. Besides the fields' own there are

    content_type, accept   what the body is, and what is wanted back
    body.raw               the raw editor's text
    body.mode              `raw` while the raw editor's text is what is sent, else `form`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sagelet.errors import SageletError
from sagelet.web.forms.shapes import Shape

RAW_TEXT = "body.raw"
RAW_FILE = "body.file"
MODE = "body.mode"
CONTENT_TYPE = "content_type"
ACCEPT = "accept"


class Kind(StrEnum):
    """How a field is shown, and what it makes of what is typed."""

    TEXT = "text"
    TEXTAREA = "textarea"
    NUMBER = "number"
    INTEGER = "integer"
    SWITCH = "switch"
    TAGS = "tags"
    SELECT = "select"
    RADIO = "radio"
    CHECKBOXES = "checkboxes"
    IMAGE = "image"
    AUDIO = "audio"
    FILE = "file"
    JSON = "json"
    CSV = "csv"
    DATE = "date"
    SLIDER = "slider"
    SECRET = "secret"  # noqa: S105  a kind of field
    NUMBERS = "numbers"
    GRID = "grid"
    ROWS = "rows"


FILES = frozenset({Kind.IMAGE, Kind.AUDIO, Kind.FILE})


class Unset(StrEnum):
    """What becomes of a field that is left empty."""

    KEEP = "keep"
    """It is sent as it is: an empty text, or a mistake where there is no such thing."""
    NULL = "null"
    OMIT = "omit"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: `value` is submitted, and `token` is the JSON that it stands for."""

    value: str
    label: str
    token: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input, or (`ROWS`) a table of them with a column for each of `columns`.

    `default` is what is submitted if nobody touches it; a column's has one text a row. `original`
    is the JSON that the default was read from: it is sent as it was while the input is untouched.
    `pointer` leads to the place in the body (RFC 6901), a column's from its row.
    """

    name: str
    kind: Kind
    key: str = ""
    label: str = ""
    pointer: str = ""
    default: tuple[str, ...] = ()
    original: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    columns: tuple[Field, ...] = ()
    group: str = ""
    minimum: str = ""
    maximum: str = ""
    step: str = ""
    help: str = ""
    placeholder: str = ""
    accept: str = ""
    unset: Unset = Unset.KEEP
    is_data_url: bool = False


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


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was chosen."""

    name: str
    body: bytes
    content_type: str = ""


Values = Mapping[str, Sequence[str | Upload]]
"""What a form's inputs hold, by their names, as a browser submits it."""
