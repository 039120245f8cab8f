"""Who may ask a public endpoint, and how often."""

from __future__ import annotations

import math

from sagelet.domain.publications import Publication, Terms
from sagelet.web.access.guard import BEARER
from sagelet.web.access.limits import RateLimiter
from sagelet.web.access.principals import KeyHolder, Visitor
from sagelet.web.faults import Refused
from sagelet.web.public.arrivals import bucket_of

Guest = KeyHolder | Visitor
"""Whoever comes by the public page or the public listener: never the owner."""


class Admission:
    """Lets guests ask. What they have asked is counted apart from what programs ask at home."""

    def __init__(self, keys: RateLimiter) -> None:
        """Take the limits of the API keys, which hold wherever a key is used."""
        self._keys = keys
        self._guests = RateLimiter()

    def admit(self, publication: Publication, who: Guest) -> None:
        """Let somebody ask once.

        Raises:
            Refused: 401 without a key where one is needed, 403 for a key that is not good for this
                endpoint, 429 for asking too often.
        """
        bound = f"{publication.endpoint} {publication.per_minute}"
        if isinstance(who, KeyHolder):
            if not who.may_use(publication.endpoint):
                raise Refused(403, "this API key is not good for this model")
            _wait(self._keys.take(f"key:{who.key_id}", who.per_minute))
            _wait(self._guests.take(f"{bound} key:{who.key_id}", publication.per_minute))
            return
        if publication.terms is Terms.KEY:
            raise Refused(401, "an API key is needed", BEARER)
        _wait(self._guests.take(f"{bound} {bucket_of(who.address)}", publication.per_minute))


def _wait(seconds: float | None) -> None:
    if seconds is not None:
        raise Refused(
            429, "too many requests: try again later", {"retry-after": str(math.ceil(seconds))}
        )
