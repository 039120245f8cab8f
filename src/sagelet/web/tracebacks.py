"""A Python traceback as a page shows it: the user's own frames, then the whole of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FRAME = re.compile(
    r'^[ |+]*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?\n'
    r"(?:(?![ |+]*File \")[ |+]+(?P<code>\S.*)\n?)?",
    re.MULTILINE,
)
_LIBRARY = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/python3|^<frozen |/sagelet/(?:worker|errors)/"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One call; `code` is its line's text where the traceback has it."""

    file: str
    line: int
    function: str
    code: str

    @property
    def is_own(self) -> bool:
        """Whether it is the user's code, not a library's."""
        return _LIBRARY.search(self.file) is None


def frames_of(traceback: str) -> tuple[Frame, ...]:
    """Return the calls of a traceback as Python writes it, the outermost first."""
    return tuple(
        Frame(found["file"], int(found["line"]), found["function"] or "", found["code"] or "")
        for found in _FRAME.finditer(traceback)
    )


def own_frames(traceback: str) -> tuple[Frame, ...]:
    """Return those of the user's own code."""
    return tuple(frame for frame in frames_of(traceback) if frame.is_own)
