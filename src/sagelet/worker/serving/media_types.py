"""Content types and Accept headers: what they name, without parameters, case and quality values."""

from __future__ import annotations

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
NPZ = "application/x-npz"
OCTET_STREAM = "application/octet-stream"
ANY = "*/*"

UTF8_TYPES = (JSON, CSV)


def essence(content_type: str | None) -> str | None:
    """Return a content type in lower case and without its parameters."""
    return content_type if content_type is None else content_type.split(";", 1)[0].strip().lower()


def preferences(accept: str) -> list[str]:
    """Return the media ranges of an Accept header, the most wanted first, refused ones left out."""
    weighed = []
    for place, part in enumerate(accept.split(",")):
        media_range, _, parameters = part.partition(";")
        quality = _quality(parameters)
        if media_range.strip() and quality > 0:
            weighed.append((-quality, place, media_range.strip().lower()))
    return [media_range for _, _, media_range in sorted(weighed)]


def matches(media_range: str, media_type: str) -> bool:
    """Whether a media range (`application/*`) includes a media type."""
    kind, _, subtype = media_range.partition("/")
    wanted_kind, _, wanted_subtype = media_type.partition("/")
    return kind in ("*", wanted_kind) and subtype in ("*", wanted_subtype)


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
