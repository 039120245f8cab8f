"""Packages of ours under the names of others, for handlers that import what is not installed."""

from __future__ import annotations

import importlib.util
import sys
from typing import NamedTuple


class StandIn(NamedTuple):
    """A folder that holds stand-ins of some packages."""

    folder: str
    names: tuple[str, ...]

    def offer(self) -> bool:
        """Make them importable, last of all places, unless all the real packages are there."""
        if all(importlib.util.find_spec(name) is not None for name in self.names):
            return False
        sys.path.append(self.folder)
        return True

    def withdraw(self) -> None:
        """Undo `offer`, where it did anything."""
        if self.folder in sys.path:
            sys.path.remove(self.folder)
            for name in [name for name in sys.modules if name.partition(".")[0] in self.names]:
                del sys.modules[name]
