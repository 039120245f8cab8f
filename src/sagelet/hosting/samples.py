"""The sample request that a project ships: new code has to answer it before it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sagelet.domain.media import media_type_of

_ACCEPT = "application/json"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to try new code with."""

    body: bytes
    content_type: str
    accept: str = _ACCEPT

    @classmethod
    def read(cls, path: Path) -> Sample:
        """Read a payload; its type is that of its suffix. It blocks.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        return cls(path.read_bytes(), media_type_of(path))


async def read_sample(path: Path | None, on_note: Callable[[str], None]) -> Sample | None:
    """Return a project's sample, if it has one; one that cannot be read is noted, and no error."""
    if path is None:
        return None
    try:
        return await asyncio.to_thread(Sample.read, path)
    except OSError as error:
        reason = error.strerror or error
        on_note(f"new code is not tried: the sample {path} cannot be read ({reason})")
        return None
