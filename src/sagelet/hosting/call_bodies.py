"""Bodies of calls as files, each named by what it holds: the same payload sent twice is one file.

$SAGELET_HOME/history/<2 digits>/<sha256>
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path


class CallBodies:
    """The files of one folder. Everything blocks."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; the first body makes it."""
        self._folder = folder

    def put(self, body: bytes) -> str:
        """Keep a body and return its name.

        Raises:
            OSError: it cannot be written.
        """
        digest = hashlib.sha256(body).hexdigest()
        file = self._file(digest)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = file.with_suffix(".tmp")
            temporary.write_bytes(body)
            temporary.replace(file)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return a body; None where there is none of that name."""
        try:
            return self._file(digest).read_bytes() if digest else None
        except OSError:
            return None

    def remove(self, digests: Iterable[str]) -> None:
        """Remove bodies, as far as they are there."""
        for digest in digests:
            with suppress(OSError):
                self._file(digest).unlink()

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove all files but those of these names: a crash may have left others."""
        for file in self._folder.glob("*/*"):
            if file.name not in digests:
                with suppress(OSError):
                    file.unlink()

    def _file(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
