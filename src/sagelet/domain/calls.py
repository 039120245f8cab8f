"""Calls of endpoints: what was sent, what came back, and where the time went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sagelet.domain.invocation import UNTIMED, Timing

PREVIEW_CHARACTERS = 200
"""As much of a payload is shown in a list."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """A call without its bodies. `id` is a ULID, so that calls sort by when they came.

    `source` is who asked ("aws" | "web" | "api"). `status` is the container's; 0 tells that it did
    not answer in time. `preview` is the beginning of the payload as text, empty where it is none;
    `payload` names the payload's content, so that two calls with the same one have the same.
    `is_redacted`: values of the bodies that are named like secrets were taken out.
    """

    id: str
    endpoint: str
    at: datetime
    source: str
    content_type: str | None
    accept: str | None
    target_variant: str | None
    target_model: str | None
    status: int
    answer_content_type: str | None
    body_bytes: int
    answer_bytes: int
    variant: str
    generation: int
    timing: Timing = UNTIMED
    handler: str = ""
    where: str = ""
    preview: str = ""
    payload: str = ""
    is_redacted: bool = False

    @property
    def is_error(self) -> bool:
        """Whether the model refused, failed or did not answer."""
        return not 100 <= self.status < 400


@dataclass(frozen=True, slots=True)
class Call(CallSummary):
    """A call. A body is None where it was too large to be kept, or is gone."""

    body: bytes | None = None
    answer_body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HistoryFacts:
    """What a history holds; `dropped` calls came faster than they could be written down."""

    calls: int
    body_bytes: int
    dropped: int


class CallHistory(Protocol):
    """The calls that are kept. Its methods block: ask in a thread."""

    @property
    def is_on(self) -> bool:
        """Whether calls are kept. Those of traced runs are, whatever it says."""
        ...

    @property
    def kept(self) -> int:
        """How many calls of an endpoint are kept at most."""
        ...

    def turn(self, *, on: bool) -> None:
        """Keep calls from now on, or keep no more; the daemon remembers it."""
        ...

    def recent(
        self, endpoint: str, *, limit: int = 50, before: str | None = None
    ) -> tuple[CallSummary, ...]:
        """Return the latest calls of an endpoint, the newest first; `before` is a call's id."""
        ...

    def get(self, endpoint: str, call_id: str) -> Call | None:
        """Return one call of an endpoint."""
        ...

    def good_payloads(self, endpoint: str, limit: int = 12) -> tuple[Call, ...]:
        """Return calls that were answered well, the newest first, no two with one payload."""
        ...

    def clear(self, endpoint: str | None = None) -> int:
        """Forget the calls of an endpoint, or all; return how many there were."""
        ...

    def facts(self) -> HistoryFacts:
        """Return what it holds."""
        ...
