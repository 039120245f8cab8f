"""Small functions that handlers borrow from the toolkit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTENT_TYPE_REGEX = re.compile("^[Cc]ontent-?[Tt]ype")


def read_file(path: str, mode: str = "r") -> Any:
    """Return a file's content."""
    with Path(path).open(mode) as file:
        return file.read()


def write_file(path: str, data: Any, mode: str = "w") -> None:
    """Write a file."""
    with Path(path).open(mode) as file:
        file.write(data)


def retrieve_content_type_header(request_property: Mapping[str, str]) -> str | None:
    """Return the content type among a request's headers, in any of the spellings in use."""
    return next((v for k, v in request_property.items() if CONTENT_TYPE_REGEX.match(k)), None)


def parse_accept(accept: str) -> list[str]:
    """Return the media types of an Accept header."""
    return accept.replace(" ", "").split(",")


def remove_crlf(illegal_string: str) -> str:
    """Return a text that may stand in a status line."""
    return illegal_string.replace("\r", " ").replace("\n", " ")
