"""Paths that several hosts wrote, where only one file can be kept: told once for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

TOLD = 10
"""How many paths are named; of the rest it is said that there are more."""


class Clashes:
    """Tells of the paths of one kind of output."""

    def __init__(self, what: str, say: Callable[[str], None]) -> None:
        """Take what to call the output, and the log to tell in."""
        self._what = what
        self._say = say
        self._told: set[str] = set()

    def tell(self, path: str, hosts: Sequence[str]) -> None:
        """Tell that several hosts, the last of which wins, wrote a path."""
        if path in self._told or len(self._told) > TOLD:
            return
        self._told.add(path)
        if len(self._told) > TOLD:
            self._say(f"WARNING: {self._what}: more paths were written by several hosts")
            return
        *others, last = hosts
        self._say(
            f"WARNING: {self._what}: {path} was written by {', '.join(others)} and {last}; "
            f"that of {last} is kept"
        )
