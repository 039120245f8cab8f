"""What is in an archive or a folder, as a page shows it: a tree of names and sizes.

Names are shown with their odd characters written out: they may be made to look like others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sagelet.web.names import visible


@dataclass(frozen=True, slots=True)
class Entry:
    """A file; a link has no size but a `target`."""

    name: str
    size_bytes: int = 0
    target: str = ""

    @property
    def shown(self) -> str:
        """The last part of its name, which can be told from any other."""
        return visible(self.name.rpartition("/")[2])


@dataclass(slots=True)
class Folder:
    """A folder of the tree: what is in it, and how large that is altogether."""

    name: str = ""
    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[Entry] = field(default_factory=list)
    size_bytes: int = 0
    count: int = 0

    @property
    def shown(self) -> str:
        """Its name, which can be told from any other."""
        return visible(self.name)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is there. `refused` says why an archive is, `is_cut` that there is more than this."""

    size_bytes: int
    is_archive: bool
    root: Folder
    names: frozenset[str] = frozenset()
    refused: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a file; no text where it is none."""

    name: str
    size_bytes: int
    text: str | None
    is_cut: bool

    @property
    def shown(self) -> str:
        """Its name, which can be told from any other."""
        return visible(self.name)


def tree_of(entries: Iterable[Entry]) -> Folder:
    """Return files as a tree of folders; each folder knows what it holds altogether."""
    root = Folder()
    for entry in entries:
        *folders, _ = entry.name.split("/")
        at = root
        _count(at, entry)
        for part in folders:
            if part in ("", "."):
                continue
            at = at.folders.setdefault(part, Folder(part))
            _count(at, entry)
        at.files.append(entry)
    return root


def _count(folder: Folder, entry: Entry) -> None:
    folder.size_bytes += entry.size_bytes
    folder.count += 1
