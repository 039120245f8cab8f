"""A container's environment variables, read as what their names promise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from sagelet.errors import InvalidRequest

_LAST_PORT = 65535


class Variables:
    """Reads a model's Environment; an empty value is as good as none."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Take the variables."""
        self._values = values

    def text(self, name: str) -> str:
        """Return a value; nothing where it is not set."""
        return self._values.get(name, "")

    def path(self, name: str) -> Path | None:
        """Return a path."""
        text = self.text(name)
        return Path(text) if text else None

    def count(self, name: str) -> int:
        """Return a whole number above 0; 0 where it is not set.

        Raises:
            InvalidRequest: it is something else.
        """
        text = self.text(name)
        if not text:
            return 0
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            raise InvalidRequest(f"{name} is {text!r}; it has to be a number above 0.")
        return int(text)

    def port(self, name: str) -> int | None:
        """Return a TCP port.

        Raises:
            InvalidRequest: it is none.
        """
        number = self.count(name)
        if number > _LAST_PORT:
            raise InvalidRequest(f"{name} is {number}; a port is at most {_LAST_PORT}.")
        return number or None

    def one_of(self, name: str, allowed: Collection[str]) -> str:
        """Return a word; nothing where it is not set.

        Raises:
            InvalidRequest: it is none of those allowed.
        """
        text = self.text(name)
        if text and text not in allowed:
            raise InvalidRequest(f"{name} is {text!r}; it may be {' or '.join(allowed)}.")
        return text
