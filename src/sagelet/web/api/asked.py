"""What a request's address asks for: numbers that are numbers, and within bounds."""

from __future__ import annotations

import math
import re
from typing import Any

from starlette.requests import Request

from sagelet.web.faults import Refused

_PAGE = 100
_NUMBER = re.compile(r"[0-9]{1,18}")


def whole_number(name: str, text: str) -> int:
    """Return a number that stands in an address.

    Raises:
        Refused: 400 where it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise Refused(400, f"{name} is a whole number, not {text[:40]!r}")
    return int(text)


def limit_of(request: Request, *, usual: int, at_most: int) -> int:
    """Return how many are asked for by `limit`.

    Raises:
        Refused: 400 for none, or for no number.
    """
    limit = whole_number("limit", request.query_params.get("limit", str(usual)))
    if not 1 <= limit <= at_most:
        raise Refused(400, f"limit is from 1 to {at_most}, not {limit}")
    return limit


def page_of(request: Request) -> dict[str, Any]:
    """Return which page of a list is asked for, by `limit` and `next`, as AWS's members have it.

    Raises:
        Refused: 400 for a limit that is none.
    """
    asked: dict[str, Any] = {"MaxResults": limit_of(request, usual=_PAGE, at_most=_PAGE)}
    if "next" in request.query_params:
        asked["NextToken"] = request.query_params["next"]
    return asked


def seconds(name: str, text: str, *, at_most: float) -> float:
    """Return a number of seconds, within bounds.

    Raises:
        Refused: 400 where it is none.
    """
    try:
        asked = float(text)
    except ValueError:
        asked = math.nan
    if not math.isfinite(asked):
        raise Refused(400, f"{name} is a number of seconds, not {text[:40]!r}")
    return min(max(asked, 0.0), at_most)
