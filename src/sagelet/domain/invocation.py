"""One call of a model and its answer, as bytes and headers: no HTTP and no AWS names here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of an endpoint. `headers` are those that the platform passes to the container."""

    endpoint: str
    body: bytes
    content_type: str | None = None
    accept: str | None = None
    target_variant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the container answered: an HTTP status, a body, and where it came from."""

    status: int
    body: bytes
    content_type: str | None
    variant: str
    generation: int
    headers: Mapping[str, str] = field(default_factory=dict)
