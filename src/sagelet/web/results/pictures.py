"""Pictures and sounds: answers of those types, and pictures in JSON as base64."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import ClassVar

from sagelet.web.results.context import Context

MOST_BYTES = 4 * 2**20
"""What is larger is not put into the page; it can be downloaded."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,")
_LEAST_CHARACTERS = 32
_SHOWN_AS_IMAGES = ("image/svg+xml", "image/avif", "image/bmp", "image/x-icon")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the page. `kind` is its media type, `title` where it stands."""

    template: ClassVar[str] = "results/picture.html.j2"
    address: str
    kind: str
    size: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound or film, to be played. `is_film` tells which."""

    template: ClassVar[str] = "results/recording.html.j2"
    address: str
    kind: str
    size: int
    is_film: bool


def detect(value: object, context: Context) -> Picture | None:
    """Return a text that is a picture in base64, with or without `data:image/…` before it."""
    if not isinstance(value, str) or len(value) < _LEAST_CHARACTERS:
        return None
    head = _DATA.match(value)
    encoded = value[head.end() :] if head else value
    if len(encoded) * 3 > min(MOST_BYTES, context.budget.media_bytes) * 4:
        return None
    kind = kind_of(_decoded(encoded[:_LEAST_CHARACTERS]))
    if not kind:
        return None
    data = _decoded(encoded)
    if not data:
        return None
    context.budget.media_bytes -= len(data)
    title = str(context.place[-1]) if context.place else ""
    return Picture(_address(kind, data), kind, len(data), title)


def media(data: bytes, kind: str) -> Picture | Recording | None:
    """Return an answer of a media type as what plays or shows it; None where nothing does."""
    if len(data) > MOST_BYTES:
        return None
    found = kind_of(data)
    if found:
        return Picture(_address(found, data), found, len(data))
    if kind in _SHOWN_AS_IMAGES:
        return Picture(_address(kind, data), kind, len(data))
    family = kind.partition("/")[0]
    if family in ("audio", "video") and re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind):
        return Recording(_address(kind, data), kind, len(data), is_film=family == "video")
    return None


def kind_of(data: bytes) -> str:
    """Return which picture it is, by how it begins."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def _address(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
