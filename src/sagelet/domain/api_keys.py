"""A key that a program asks an endpoint with, as far as it may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PREFIX = "sgl_live_"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What its owner chose. No endpoints: all of them; no rate: as often as they like.

    `origins` are the sites whose pages may use it, besides programs.
    """

    id: str
    name: str
    created_at: datetime
    endpoints: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    per_minute: int = 0
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def shown(self) -> str:
        """The beginning of the key, by which its owner tells it from others."""
        return f"{PREFIX}{self.id}"

    def is_good_at(self, at: datetime) -> bool:
        """Say whether it has not expired."""
        return self.expires_at is None or at < self.expires_at
