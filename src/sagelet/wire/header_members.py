"""The members of one operation that travel in headers, with their limits, ready to be read.

Made once, from the service model, for an operation that is called often. What is unusual is not
read here: `parsing` and `validation` do that, and find the words where it cannot be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from botocore.model import OperationModel, StructureShape

from sagelet.wire.constraints import Constraint, constraints_of


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    is_served: bool
    constraints: tuple[Constraint, ...]


class HeaderMembers:
    """Header fields in, members out."""

    def __init__(self, operation: OperationModel, *, served: Collection[str]) -> None:
        """Compile an operation's members; those that are not served count as unusual."""
        shape = operation.input_shape
        members = shape.members if isinstance(shape, StructureShape) else {}
        self._by_header = {
            member.serialization["name"].lower().encode("ascii"): _Member(
                name, name in served and member.type_name == "string", constraints_of(member)
            )
            for name, member in members.items()
            if member.serialization.get("location") == "header"
        }
        self._names = frozenset(self._by_header)

    def read(self, headers: Mapping[bytes, bytes]) -> dict[str, str] | None:
        """Return the members in header fields, of which there is one each, named in lower case.

        Nothing is returned where one is not served, is not ASCII, or breaks a limit.
        """
        found: dict[str, str] = {}
        for header in self._names & headers.keys():
            member = self._by_header[header]
            value = headers[header]
            if not (member.is_served and value.isascii()):
                return None
            text = value.decode("ascii")
            for constraint in member.constraints:
                if not constraint.holds(text):
                    return None
            found[member.name] = text
        return found
