"""Continuation tokens: opaque to clients, the last key of a page to us."""

from __future__ import annotations

import base64
import binascii

from sagelet.wire.faults import Fault


def write_token(after: str) -> str:
    """Return a token for what comes after a key."""
    return base64.urlsafe_b64encode(after.encode()).decode()


def read_token(token: str) -> str:
    """Return what a token stands for; InvalidArgument where it is none of ours."""
    try:
        return base64.b64decode(token.encode("ascii"), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Fault(
            "InvalidArgument",
            400,
            "The continuation token provided is incorrect",
            {"ArgumentName": "continuation-token"},
        ) from error
