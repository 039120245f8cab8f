"""A label of a metric."""

from __future__ import annotations


class Dimension:
    """A name and a value; both go into the metric's line."""

    def __init__(self, name: str, value: object) -> None:
        """Keep both."""
        self.name = name
        self.value = value

    def __str__(self) -> str:
        """Return `name:value`."""
        return f"{self.name}:{self.value}"
