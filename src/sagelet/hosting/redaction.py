"""Takes out of a JSON body what its members' names say is secret."""

from __future__ import annotations

import json
import re
from typing import Any

REDACTED = "[redacted]"

_SECRETS = frozenset(
    {
        "authorization",
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "xapikey",
        "privatekey",
        "secretkey",
        "accesskey",
        "secretaccesskey",
        "accesstoken",
        "refreshtoken",
        "authtoken",
        "bearertoken",
        "idtoken",
        "sessiontoken",
        "securitytoken",
        "clientsecret",
        "clienttoken",
    }
)
# One of these is in every name above. They are looked for first: most bodies have none of them, and
# need not be parsed.
_HINTS = (b"authori", b"passw", b"passphrase", b"secret", b"token", b"key")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")


def redacted(body: bytes) -> bytes | None:
    """Return a JSON body without its secrets; None where it has none, or is no JSON."""
    lowered = body.lower()
    if not any(hint in lowered for hint in _HINTS):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    without, is_changed = _without(document)
    return (
        json.dumps(without, ensure_ascii=False).encode("utf-8", "surrogatepass")
        if is_changed
        else None
    )


def is_secret(name: str) -> bool:
    """Whether a member of this name is taken out: `api_key`, `X-Api-Key`, `apiKey` are the same."""
    return _NOT_LETTERS.sub("", name.lower()) in _SECRETS


def _without(value: Any) -> tuple[Any, bool]:  # noqa: ANN401  JSON has no type
    if isinstance(value, dict):
        found = {name: _member(name, item) for name, item in value.items()}
        return {name: item for name, (item, _) in found.items()}, any(c for _, c in found.values())
    if isinstance(value, list):
        items = [_without(item) for item in value]
        return [item for item, _ in items], any(changed for _, changed in items)
    return value, False


def _member(name: str, value: Any) -> tuple[Any, bool]:  # noqa: ANN401  JSON has no type
    if is_secret(name) and value not in (None, ""):
        return REDACTED, True
    return _without(value)
