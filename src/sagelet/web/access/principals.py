"""Who a request is from.

Owner      the person whose machine it is: a browser that signed in, or a signature (CLI, SDKs)
KeyHolder  a program with an API key: what the key's scopes say
Visitor    anybody else: signing in, static files, and what was made public
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner. A browser's requests that change something carry `csrf`; signed ones need none."""

    csrf: str | None = None


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whoever holds an API key, told by its id.

    `endpoints` are those it is good for, in lower case; none: all. `per_minute` is how often, 0 as
    often as they like. `origins` are the sites whose pages may use it.
    """

    key_id: str
    endpoints: frozenset[str]
    per_minute: int = 0
    origins: tuple[str, ...] = ()

    def may_use(self, endpoint: str) -> bool:
        """Say whether the key is good for an endpoint, whose name SageMaker tells by no case."""
        return not self.endpoints or endpoint.lower() in self.endpoints


@dataclass(frozen=True, slots=True)
class Visitor:
    """Nobody that is known, at an address."""

    address: str


Principal: TypeAlias = Owner | KeyHolder | Visitor
