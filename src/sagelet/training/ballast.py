"""Space that a job holds ready, so that its end can be written down on a full disk."""

from __future__ import annotations

import os
from pathlib import Path

BALLAST_BYTES = 2**18


class Ballast:
    """A file that is worth its size only when it goes."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path

    def take(self) -> None:
        """Take the space.

        Raises:
            OSError: there is none.
        """
        # Not zeros, which some file systems do not store.
        self._path.write_bytes(os.urandom(BALLAST_BYTES))

    def drop(self) -> None:
        """Give the space up, if it was taken."""
        self._path.unlink(missing_ok=True)
