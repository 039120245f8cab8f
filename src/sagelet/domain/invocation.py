"""One call of a model and its answer, as bytes and headers: no HTTP and no AWS names here.

Nobody changes these values. They are not frozen because one of each is made for every request, and
a frozen one takes five times as long to make.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Invocation:
    """A call of an endpoint. `headers` are those that the platform passes to the container.

    `trace` is the id of a run whose log lines are wanted, and which the history keeps in any case.
    `source` is who asks: "aws" | "web" | "api" | "public". `call_id` is a ULID that the history
    knows it by, where whoever asks has one.
    """

    endpoint: str
    body: bytes
    content_type: str | None = None
    accept: str | None = None
    target_variant: str | None = None
    target_model: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    trace: str = ""
    source: str = "aws"
    call_id: str = ""


@dataclass(slots=True, unsafe_hash=True)  # as a default it must have a hash
class Timing:
    """Where the time of a request went, in milliseconds: waiting, each handler, and in all."""

    queue_ms: float = 0.0
    handlers_ms: Mapping[str, float] = field(default_factory=dict)
    total_ms: float = 0.0


UNTIMED = Timing()


@dataclass(slots=True)
class Answer:
    """What the container answered: an HTTP status, a body, and where it came from.

    Status 0 tells that it did not answer in time. `differs` names the differences of the contract
    (see the worker's table) that this answer shows: under `strict` it would be another one.
    `handler` and `where` (`file:line`) tell of a handler's own error.
    """

    status: int
    body: bytes
    content_type: str | None
    variant: str
    generation: int
    headers: Mapping[str, str] = field(default_factory=dict)
    timing: Timing = UNTIMED
    differs: tuple[str, ...] = ()
    handler: str = ""
    where: str = ""


class AnswerParts(Protocol):
    """The parts of a streamed answer, none of them empty. Whoever leaves early closes it.

    It raises ModelStreamBroken where the model fails half-way; closing it ends the handler's
    generator.
    """

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return what is iterated."""
        ...

    def __anext__(self) -> Awaitable[bytes]:
        """Return the next part."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Leave."""
        ...


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """An answer whose body is produced while it is sent; its status is below 400."""

    status: int
    content_type: str | None
    variant: str
    generation: int
    parts: AnswerParts
    headers: Mapping[str, str] = field(default_factory=dict)
