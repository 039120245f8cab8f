"""Hypothesis strategies for documents of a shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import strategies as st

_LEVELS = 4

_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
# XML 1.0 has no control characters, and an element of white space alone is an empty one to some.
_XML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=12)
_TIMES = st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def documents_of(
    shape: Shape | None, *, xml: bool = False, levels: int = _LEVELS
) -> st.SearchStrategy[Any]:
    """Values of a shape; members of structures come and go."""
    text = _XML_TEXT if xml else _ANY_TEXT
    match shape:
        case StructureShape():
            members = {
                name: documents_of(member, xml=xml, levels=levels - 1)
                for name, member in shape.members.items()
                if (levels > 0 or shape.is_tagged_union)
                and not member.serialization.get("eventstream")
            }
            if shape.is_tagged_union:
                one = [st.fixed_dictionaries({name: made}) for name, made in members.items()]
                return st.one_of(one)
            return st.fixed_dictionaries({}, optional=members)
        case ListShape():
            items = documents_of(shape.member, xml=xml, levels=levels - 1)
            return st.lists(items, max_size=2 if levels > 0 else 0)
        case MapShape():
            values = documents_of(shape.value, xml=xml, levels=levels - 1)
            return st.dictionaries(text, values, max_size=2 if levels > 0 else 0)
        case _:
            return _scalars(shape.type_name if shape else "string", text)


def _scalars(type_name: str, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match type_name:
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**53), 2**53)
        case "float" | "double":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return _TIMES
        case "blob":
            return st.binary(max_size=12)
        case _:
            return text
