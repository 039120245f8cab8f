"""What reaches the loop of `sagelet dev`, from the threads that listen for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeAlias

from sagelet.cli.calls import Reply
from sagelet.errors import SageletError


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that the daemon tells of the endpoint: a reload, a refused edit, a lost worker."""

    at: str
    text: str
    is_problem: bool


@dataclass(frozen=True, slots=True)
class Logged:
    """A line that the endpoint wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """The facts of the endpoint, as the local API has them."""

    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key."""

    key: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of the test payload."""

    payload: str
    outcome: Reply | SageletError


@dataclass(frozen=True, slots=True)
class Noted:
    """Something of our own to say."""

    text: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """The daemon does not answer any more."""

    error: SageletError


Message: TypeAlias = Happened | Logged | Counted | Pressed | Tried | Noted | Lost
Messages: TypeAlias = SimpleQueue[Message]
