"""Names of log groups and streams as names of folders and files."""

from __future__ import annotations

from urllib.parse import quote, unquote

from sagelet.errors import InvalidRequest

_LONGEST_BYTES = 255


def file_name(name: str) -> str:
    """Return the one folder or file name that stands for a group or stream name.

    Raises:
        InvalidRequest: it is too long for a file system.
    """
    encoded = quote(name, safe="")
    if encoded.startswith("."):
        # "." and ".." lead elsewhere, and what begins with a dot is ours.
        encoded = "%2E" + encoded[1:]
    if not encoded or len(encoded) > _LONGEST_BYTES:
        raise InvalidRequest(
            message=f"{name!r} cannot be kept as a file name: it would be {len(encoded)} bytes "
            f"long, and may be 1 to {_LONGEST_BYTES}."
        )
    return encoded


def name_of(file: str) -> str | None:
    """Return the name that a folder or file stands for; None for what is not one of ours."""
    name = unquote(file, errors="replace")
    try:
        return name if file_name(name) == file else None
    except InvalidRequest:
        return None
