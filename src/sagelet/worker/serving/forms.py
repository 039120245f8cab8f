"""Forms as the model server takes them apart: handlers get the field `body`, or nothing.

Only under `contract: strict`; otherwise a form reaches the handler as it was sent.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from urllib.parse import parse_qsl

from sagelet.worker.serving.media_types import essence

_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_FIELD = "body"


def is_form(content_type: str | None) -> bool:
    """Whether the model server takes bodies of this type apart."""
    return essence(content_type) in (_URLENCODED, _MULTIPART)


def body_field(body: bytes | bytearray, content_type: str) -> bytearray | None:
    """Return the last field that is named `body`; None where there is none."""
    if essence(content_type) == _URLENCODED:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        found = [value.encode("utf-8") for name, value in pairs if name == _FIELD]
    else:
        found = [_content(part) for part in _parts(body, content_type) if _name(part) == _FIELD]
    return bytearray(found[-1]) if found else None


def _parts(body: bytes | bytearray, content_type: str) -> list[Message]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    whole = BytesParser().parsebytes(head + body)
    payload = whole.get_payload()
    return [part for part in payload if isinstance(part, Message)] if whole.is_multipart() else []


def _name(part: Message) -> object:
    return part.get_param("name", header="content-disposition")


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
