"""A body as a template: JSON text with holes, in which everything else stays as it was written.

A shape is a tree. Its leaves are text that is sent as it is, and holes that a field fills. What
stands between them (white space, the order of keys) is kept, so that an example that nobody
changes comes out byte by byte as it went in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """JSON that no field changes."""

    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Where the value of a field goes, by its name."""

    field: str


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an object or an item of an array, with what stands around it.

    `head` is all before the value: white space, and a member's `key` with its colon. `field` names
    the field that may leave the part out.
    """

    head: str
    value: Shape
    tail: str = ""
    field: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """An object or an array; `is_array` tells which."""

    parts: tuple[Part, ...]
    is_array: bool
    end: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """An array with an item for each row of a field.

    `items` are the rows as they were written, the last of which serves as a pattern for more;
    `head` stands before each of these.
    """

    field: str
    items: tuple[Part, ...]
    end: str = ""
    head: str = ""


Shape = Constant | Hole | Container | Rows
