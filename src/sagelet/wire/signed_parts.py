"""What a request's signature says of its time, its body and its headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sagelet.wire.faults import Fault, Unreadable
from sagelet.wire.messages import RequestHead
from sagelet.wire.refusals import Reason, refusal
from sagelet.wire.scopes import Authorization
from sagelet.wire.timestamps import read_timestamp

BASIC_TIME = "%Y%m%dT%H%M%SZ"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMED_PAYLOADS = frozenset(
    {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    }
)

_HEX = re.compile(r"[0-9a-f]{64}")
_EXPIRES_AT_MOST_S = 7 * 24 * 3600


def is_digest(text: str) -> bool:
    """Say whether text is a SHA-256 in hex."""
    return _HEX.fullmatch(text) is not None


def time_of(head: RequestHead, given: Authorization) -> tuple[str, datetime]:
    """Return a request's time, as text for the string to sign and as a time.

    Raises:
        Fault: it says none.
    """
    for name in ("x-amz-date", "date"):
        text = head.headers.get(name)
        if text is None:
            continue
        when = basic_time(text) or any_time(text)
        if when is not None:
            return f"{when:{BASIC_TIME}}", when
    raise refusal(
        Reason.MALFORMED,
        given.credential.service,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header",
    )


def basic_time(text: str) -> datetime | None:
    """Read a time such as 20260102T030405Z, or return nothing."""
    try:
        return datetime.strptime(text, BASIC_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def any_time(text: str) -> datetime | None:
    """Read a time in any of AWS's formats, or return nothing."""
    try:
        return read_timestamp(text)
    except Unreadable:
        return None


def payload_hash(head: RequestHead) -> str:
    """Return what an S3 request's signature says of its body.

    Raises:
        Fault: it says nothing, or nothing that S3 knows.
    """
    value = head.headers.get("x-amz-content-sha256")
    if value is None:
        raise Fault(
            "InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"
        )
    if not (is_digest(value) or value == UNSIGNED_PAYLOAD or value in STREAMED_PAYLOADS):
        raise Fault(
            "InvalidArgument",
            400,
            f"x-amz-content-sha256 must be {UNSIGNED_PAYLOAD}, "
            f"{', '.join(sorted(STREAMED_PAYLOADS))}, or a valid sha256 value.",
            {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": value[:200]},
        )
    return value


def unsigned_headers(head: RequestHead, given: Authorization) -> list[str]:
    """Return the headers that a signature must cover and does not: Host, and all x-amz-*."""
    needed = [name for name in head.headers.names() if name == "host" or name[:6] == "x-amz-"]
    return [name for name in needed if name not in given.signed_headers]


def expires_after(text: str) -> timedelta:
    """Return how long a presigned URL of Version 4 lasts.

    Raises:
        Fault: it is not a number of seconds, or more than a week.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise bad_query("X-Amz-Expires must be a number, and non-negative")
    if int(text) > _EXPIRES_AT_MOST_S:
        raise bad_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            f"X-Amz-Expires must be less than {_EXPIRES_AT_MOST_S} seconds"
        )
    return timedelta(seconds=int(text))


def bad_query(message: str) -> Fault:
    """Return the fault of a query that is signed in a wrong form."""
    return Fault("AuthorizationQueryParametersError", 400, message)
