"""The one form that is read before anybody knows whose it is: it is kept small."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from sagelet.web.faults import Refused

MEDIA_TYPE = "application/x-www-form-urlencoded"
_CLOSE = {"connection": "close"}  # the rest of the body is not read
_BYTES_AT_MOST = 10_000
_FIELDS_AT_MOST = 10


async def small_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form, the last of each name.

    Raises:
        Refused: 415 for what is no form, 413 for a large one, 400 for one that cannot be read.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise Refused(415, f"a form is sent as {MEDIA_TYPE}")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _BYTES_AT_MOST:
            raise Refused(413, f"a form of more than {_BYTES_AT_MOST} bytes", _CLOSE)
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_FIELDS_AT_MOST))
    except ValueError as error:
        raise Refused(400, "the form cannot be read") from error
