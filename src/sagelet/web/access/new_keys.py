"""What somebody asks a new API key to be: read from JSON or a form, and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sagelet.errors import InvalidRequest

DAYS = 90
PER_MINUTE = 600
DAYS_AT_MOST = 3650
PER_MINUTE_AT_MOST = 1_000_000
_MEMBERS = ("name", "endpoints", "origins", "per_minute", "expires_in_days")
_NAME_AT_MOST = 64
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class BadKey(InvalidRequest):
    """A key that cannot be made; `member` is what is wrong with it."""

    def __init__(self, member: str, problem: str) -> None:
        """Keep both."""
        super().__init__(f"{member}: {problem}")
        self.member = member
        self.problem = problem


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made. `expires_in_days` None: never; `per_minute` 0: as often as they like."""

    name: str
    endpoints: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    per_minute: int = PER_MINUTE
    expires_in_days: int | None = DAYS


def new_key(document: Mapping[str, Any]) -> NewKey:
    """Read a document.

    Raises:
        BadKey: a member is missing, unknown, or of no use.
    """
    for member in document:
        if member not in _MEMBERS:
            raise BadKey(member, "is not known")
    days = document.get("expires_in_days", DAYS)
    return NewKey(
        name=_name(document.get("name")),
        endpoints=tuple(_endpoint(each) for each in _texts(document, "endpoints")),
        origins=tuple(_origin(each) for each in _texts(document, "origins")),
        per_minute=_number(
            document.get("per_minute", PER_MINUTE), "per_minute", PER_MINUTE_AT_MOST
        ),
        expires_in_days=None if days is None else _number(days, "expires_in_days", DAYS_AT_MOST, 1),
    )


def _name(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not (0 < len(text) <= _NAME_AT_MOST and text.isprintable()):
        raise BadKey("name", f"is text of 1 to {_NAME_AT_MOST} characters")
    return text


def _number(value: object, member: str, most: int, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadKey(member, f"is a whole number from {least} to {most}")
    return value


def _texts(document: Mapping[str, Any], member: str) -> Sequence[str]:
    values = document.get(member, [])
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise BadKey(member, "is a list of texts")
    return list(dict.fromkeys(values))


def _endpoint(name: str) -> str:
    if not _ENDPOINT.fullmatch(name):
        raise BadKey("endpoints", f"{name[:80]!r} is no endpoint's name")
    return name


def _origin(text: str) -> str:
    """Return an origin as browsers write it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadKey("origins", f"{text[:80]!r} is no origin") from error
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
    if parts.scheme not in ("http", "https") or not host or text.lower().rstrip("/") != origin:
        raise BadKey(
            "origins", f"{text[:80]!r} is not like https://example.com or http://host:3000"
        )
    is_default = (parts.scheme, port) in (("http", 80), ("https", 443))
    return origin.rpartition(":")[0] if is_default else origin
