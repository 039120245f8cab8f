"""What sources of folder events have in common: a watched folder, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NOTHING: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Changed:
    """Paths that may hold something else now, as they are called below the watched folder.

    A folder stands for all in it. `unfinished` are files that somebody is still writing.
    """

    saved: frozenset[Path] = NOTHING
    unfinished: frozenset[Path] = NOTHING


@dataclass(eq=False, slots=True)
class Root:
    """A folder that is watched; links in it are followed, and it need not be there (yet).

    `lost` is called when its source cannot watch it any more.
    """

    folder: Path
    tell: Callable[[Changed], None]
    lost: Callable[[OSError], None]


class FolderEvents(Protocol):
    """A source of events for many folders, on one event loop."""

    async def add(self, root: Root) -> None:
        """Watch a folder: what changes from now on is told. Raises OSError where that fails."""
        ...

    async def remove(self, root: Root) -> None:
        """Watch it no more."""
        ...

    async def close(self) -> None:
        """Watch nothing any more."""
        ...
