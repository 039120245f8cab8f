"""One field of a form: its kind, what it begins with, and where in the body it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


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
class Upload:
    """A file that was chosen."""

    name: str
    body: bytes
    content_type: str = ""


Values = Mapping[str, Sequence[str | Upload]]
"""What a form's inputs hold, by their names, as a browser submits it."""
