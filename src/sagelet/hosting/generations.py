"""The numbers of what an endpoint has served: they only grow, also across restarts of the daemon.

The highest that went live is kept in a file of the endpoint's folder.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from sagelet.hosting.together import to_the_end

log = logging.getLogger(__name__)

_FILE = "generation"


class Generations:
    """Counts the generations of one endpoint."""

    def __init__(self, folder: Path) -> None:
        """Keep the count in the endpoint's own folder."""
        self._file = folder / _FILE
        self._latest = 0

    async def remember(self) -> None:
        """Go on from what an earlier daemon has kept."""
        kept = await asyncio.to_thread(_kept, self._file)
        self._latest = max(self._latest, kept)

    def next(self) -> int:
        """Return a number that was not there before."""
        self._latest += 1
        return self._latest

    async def keep(self, generation: int) -> None:
        """Remember that a generation went live."""
        try:
            # To the end: a write that no thread has begun with would be left out.
            await to_the_end(asyncio.to_thread(_keep, self._file, generation))
        except OSError as error:
            # The disk is full, say. It serves all the same; only a restart may count anew.
            log.warning("the generation of %s is not kept: %s", self._file.parent.name, error)


def _kept(file: Path) -> int:
    try:
        text = file.read_text("ascii", "replace").strip()
    except OSError:
        return 0  # it never served
    return int(text) if text.isdecimal() else 0


def _keep(file: Path, generation: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(f"{generation}\n", "ascii")
    temporary.replace(file)
