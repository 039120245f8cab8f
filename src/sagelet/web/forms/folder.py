"""A model's files as a form reads them: few, small, and none from outside the model.

A folder of the user's own is full of links into the project (that is how a local endpoint is
staged), so there a link may lead anywhere. What came out of an archive stays in its folder.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sagelet.supervision.folder_files import is_noise

CODE = "code"
LARGEST_TEXT = 512 * 1024
LARGEST_PAYLOAD = 2 * 2**20
_MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The root of a model, and whether links may lead out of it."""

    root: Path
    may_leave: bool

    def file(self, *names: str) -> Path | None:
        """Return the first of some names that is a file here, in `code/` or beside it."""
        for name in names:
            for place in (f"{CODE}/{name}", name):
                found = self.at(place)
                if found is not None:
                    return found
        return None

    def at(self, name: str) -> Path | None:
        """Return a file by its place in the model; None if there is none, or it is elsewhere."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            return None
        found = self.root / path
        return found if found.is_file() and self._is_ours(found) else None

    def files_in(self, name: str, depth: int) -> Iterator[tuple[str, Path]]:
        """Yield the files of one of its folders, with their places, by name; not all of a crowd."""
        return itertools.islice(self._walk(PurePosixPath(name), depth), _MOST_ENTRIES)

    def text(self, path: Path) -> str | None:
        """Return a file's text; None if it is large, not UTF-8, or gone."""
        content = self.content(path, LARGEST_TEXT)
        if content is None:
            return None
        try:
            return content.decode()
        except UnicodeDecodeError:
            return None

    def content(self, path: Path, most: int) -> bytes | None:
        """Return a file's content; None if it is larger than that, or gone."""
        try:
            with path.open("rb") as file:
                content = file.read(most + 1)
        except OSError:
            return None
        return content if len(content) <= most else None

    def _walk(self, place: PurePosixPath, depth: int) -> Iterator[tuple[str, Path]]:
        folder = self.root / place
        if not folder.is_dir() or not self._is_ours(folder):
            return
        with os.scandir(folder) as scan:
            entries = sorted(itertools.islice(scan, _MOST_ENTRIES), key=lambda entry: entry.name)
        for entry in entries:
            inner = place / entry.name
            if is_noise(entry.name, is_folder=entry.is_dir()):
                continue
            if entry.is_dir() and depth > 0:
                yield from self._walk(inner, depth - 1)
            elif entry.is_file() and self._is_ours(Path(entry.path)):
                yield str(inner), Path(entry.path)

    def _is_ours(self, path: Path) -> bool:
        return self.may_leave or path.resolve().is_relative_to(self.root.resolve())


def stamp(path: Path) -> tuple[str, int, int]:
    """Return what changes when a file does."""
    try:
        stat = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), stat.st_size, stat.st_mtime_ns
