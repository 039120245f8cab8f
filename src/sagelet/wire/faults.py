"""What goes wrong on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.errors import SageletError


@dataclass(eq=False)
class Fault(SageletError):
    """An error in AWS's terms: code, HTTP status, words, and the modelled members it carries.

    `headers` are further ones of the answer, which AWS does not have.
    """

    code: str
    status: int = 400
    message: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return the message, or the code where there is none."""
        return self.message or self.code


@dataclass(eq=False)
class Unreadable(SageletError):
    """A request that does not have the form its model asks for. `where` is a path of members.

    Protocols raise it; `parsing.parse` makes of it the fault that the service would answer.
    """

    reason: str
    where: str = ""

    def under(self, name: str) -> Unreadable:
        """Return the same, seen from the structure that has it as member `name`."""
        return Unreadable(self.reason, f"{name}.{self.where}" if self.where else name)

    def sentence(self) -> str:
        """Say what is wrong, and where."""
        return f"{self.reason} (at '{self.where}')" if self.where else self.reason
