"""An endpoint that its owner has made public, and on what terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sagelet.errors import InvalidRequest

PER_MINUTE = 60
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MOST_PER_MINUTE = 100_000


class Terms(StrEnum):
    """Who may ask: anybody, or whoever has an API key for the endpoint."""

    OPEN = "open"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Publication:
    """What was made public. `slug` names it in addresses, `per_minute` bounds each client."""

    endpoint: str
    slug: str
    terms: Terms
    per_minute: int = PER_MINUTE

    @classmethod
    def of(
        cls, endpoint: str, terms: Terms, *, slug: str = "", per_minute: int = PER_MINUTE
    ) -> Publication:
        """Return a publication; without a slug it has the endpoint's name, in lower case.

        Raises:
            InvalidRequest: the slug or the rate is none.
        """
        chosen = slug or endpoint.lower()
        if not _SLUG.fullmatch(chosen):
            raise InvalidRequest(
                message=f"{chosen[:80]!r} cannot stand in an address: use 1 to 63 lower-case "
                "letters, digits and hyphens, with no hyphen at either end."
            )
        if not 1 <= per_minute <= _MOST_PER_MINUTE:
            raise InvalidRequest(
                message=f"{per_minute} requests a minute: it is 1 to {_MOST_PER_MINUTE:,}."
            )
        return cls(endpoint, chosen, terms, per_minute)
