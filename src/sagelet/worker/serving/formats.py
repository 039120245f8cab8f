"""What a request is in, and what its answer is to be in, as the handlers are told.

Headers repeat from request to request; what they mean is worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagelet.worker.serving import forms, media_types

_MOST_KNOWN = 256


@dataclass(frozen=True)
class Formats:
    """The content type and the Accept that handlers get.

    `label` is the answer's content type unless a handler's tuple has another. `differs` are the
    differences that these headers make, `label_differs` those of the label alone. `is_text` and
    `is_form` tell what the body is made into.
    """

    content_type: str | None
    accept: str
    label: str
    is_text: bool
    is_form: bool = False
    differs: tuple[str, ...] = ()
    label_differs: tuple[str, ...] = ()

    def body_for(self, body: bytes | bytearray) -> Any:
        """Return the body as handlers get it: text for JSON and CSV, else a bytearray.

        Raises:
            UnicodeDecodeError: text is not UTF-8.
        """
        if self.is_text:
            return body.decode("utf-8")
        if self.is_form:
            return forms.body_field(body, self.content_type or "")
        return body if isinstance(body, bytearray) else bytearray(body)


class FormatTable:
    """The formats of requests by their headers, under one contract."""

    def __init__(self, default_accept: str, *, strict: bool) -> None:
        """Know what an absent Accept means."""
        self._default_accept = default_accept
        self._strict = strict
        self._known: dict[tuple[str | None, str | None], Formats] = {}

    def of(self, content_type: str | None, accept: str | None) -> Formats:
        """Return what two headers mean."""
        found = self._known.get((content_type, accept))
        if found is None:
            if len(self._known) >= _MOST_KNOWN:  # a client that makes them up must not fill memory
                self._known.clear()
            found = self._known[content_type, accept] = self._resolve(content_type, accept)
        return found

    def _resolve(self, content_type: str | None, accept: str | None) -> Formats:
        if not accept or accept == media_types.ANY:
            accept = self._default_accept
        is_form = forms.is_form(content_type)
        if self._strict:
            is_text = content_type in media_types.UTF8_TYPES
            return Formats(content_type, accept, accept, is_text, is_form)
        differs = ["form-body"] if is_form else []
        plain = media_types.essence(content_type)
        if plain in media_types.UTF8_TYPES and plain != content_type:
            differs.append(_forgiven(content_type or ""))
            content_type = plain
        passed, label = self._sane_accept(accept)
        if passed != accept:
            differs += [found for found in accept_differences(accept) if found not in differs]
        return Formats(
            content_type,
            passed,
            label,
            is_text=content_type in media_types.UTF8_TYPES,
            differs=tuple(differs),
            label_differs=tuple(accept_differences(accept)) if passed == accept != label else (),
        )

    def _sane_accept(self, accept: str) -> tuple[str, str]:
        """Return the Accept that handlers get, and the label of a bare result."""
        wanted = media_types.preferences(accept)
        if not wanted or wanted[0] == media_types.ANY:
            return self._default_accept, self._default_accept
        label = next((name for name in wanted if "*" not in name), self._default_accept)
        return (wanted[0] if len(wanted) == 1 else accept), label


def accept_differences(accept: str) -> list[str]:
    """Return what of an Accept header the container would not understand."""
    found = []
    ranges = [part.partition(";") for part in accept.split(",")]
    if any("q=" in parameters.lower().replace(" ", "") for _, _, parameters in ranges):
        found.append("quality-values")
    elif ";" in accept:
        found.append("media-type-parameters")
    if any("*" in name for name, _, _ in ranges):
        found.append("media-ranges")
    if any(name != name.lower() for name, _, _ in ranges):
        found.append("media-type-case")
    return found or ["accept-list"]


def _forgiven(content_type: str) -> str:
    return "media-type-parameters" if ";" in content_type else "media-type-case"
