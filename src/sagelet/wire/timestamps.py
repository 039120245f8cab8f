"""Timestamps in AWS's three formats. Documents hold aware datetimes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

from sagelet.wire.documents import Value
from sagelet.wire.faults import Unreadable

Format = Literal["unixTimestamp", "iso8601", "rfc822"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_timestamp(value: Value) -> datetime:
    """Return what a number of seconds, or text in any of the formats, says.

    Raises:
        Unreadable: it says nothing, or a time that no calendar has.
    """
    try:
        if isinstance(value, str):
            return _read_text(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(seconds=value)
    except (ValueError, OverflowError, TypeError, IndexError) as error:
        raise Unreadable(f"{str(value)[:64]!r} is not a timestamp") from error
    raise Unreadable("the value can not be converted to a Timestamp")


def _read_text(text: str) -> datetime:
    if text[:3].isalpha():
        when = parsedate_to_datetime(text)
    elif "-" in text[1:] or "T" in text:
        when = datetime.fromisoformat(text)
    else:
        return _EPOCH + timedelta(seconds=float(text))
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def write_epoch(when: datetime) -> float:
    """Return seconds since the epoch, to the millisecond, as the JSON protocols have them."""
    return round((when - _EPOCH).total_seconds(), 3)


def write_text(when: datetime, form: Format) -> str:
    """Return a timestamp as text. AWS's iso8601 in XML is UTC, to the millisecond."""
    utc = when.astimezone(UTC)
    match form:
        case "unixTimestamp":
            return f"{write_epoch(utc):.3f}".rstrip("0").rstrip(".")
        case "iso8601":
            return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
        case "rfc822":
            return format_datetime(utc.replace(microsecond=0), usegmt=True)
