"""Which file holds an object, in a bucket's folder.

The file is where `keys.path_of` says, unless a folder stands there: `a` cannot be a file while
`a/b` exists. Then it has the same name in the folder `%~f` beside. Links are never followed: what
a bucket holds lies inside its folder.

On a file system that folds case (macOS's), two keys that differ in case only cannot both be kept;
the second is refused instead of overwriting the first.
"""

from __future__ import annotations

import errno
import stat
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.disk import FOLDER_MODE, disk_errors
from sagelet.artifacts.keys import BESIDE, path_of
from sagelet.errors import InvalidRequest

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one bucket. Making room and removing need its lock, finding does not."""

    root: Path
    folds_case: bool = False

    def find(self, key: str) -> Path | None:
        """Return the file that holds a key, or None."""
        *folders, name = path_of(key)
        parent = self.folder(folders)
        if parent is None:
            return None
        usual, beside = parent / name, parent / BESIDE / name
        for path in (usual, beside, usual):  # again: a writer may have moved it meanwhile
            if is_file(path) and not self._is_other(path):
                return path
        return None

    def folder(self, names: list[str]) -> Path | None:
        """Return the folder that these names lead to without a link, or None."""
        path = self.root
        if not _is_folder(path):
            return None
        for name in names:
            path = path / name
            if not _is_folder(path) or self._is_other(path):
                return None
        return path

    def make_room(self, key: str) -> Path:
        """Return the path to write a key's file to, its folder made.

        Files in the way of that folder are moved beside. Raises InvalidRequest where a link or
        something else that is neither file nor folder is in the way.
        """
        *folders, name = path_of(key)
        path = self.root
        with disk_errors(self.root):
            for folder in folders:
                path = self._step_into(path, folder)
            target = path / name
            if self._is_other(target):
                raise InvalidRequest(f"{name!r} differs in case only from what is stored.")
            if _is_folder(target):
                return self._step_into(path, BESIDE) / name
        return target

    def settle(self, key: str, target: Path) -> None:
        """Remove what else a key's file may have been, now that it lies at `target`."""
        *folders, name = path_of(key)
        beside = self.root.joinpath(*folders, BESIDE, name)
        if beside != target and is_file(beside):
            beside.unlink(missing_ok=True)
            self._prune(beside.parent)

    def remove(self, key: str) -> bool:
        """Remove a key's file, and the folders that are empty then; False where there is none."""
        removed = False
        while (path := self.find(key)) is not None:
            path.unlink(missing_ok=True)
            self._prune(path.parent)
            removed = True
        return removed

    def _step_into(self, parent: Path, name: str) -> Path:
        """Return the folder of a name, made where it is missing; a file there is moved beside."""
        path = parent / name
        if self._is_other(path):
            raise InvalidRequest(f"{name!r} differs in case only from what is stored.")
        if is_file(path):
            beside = parent / BESIDE
            beside.mkdir(mode=FOLDER_MODE, exist_ok=True)
            path.replace(beside / name)
        with suppress(FileExistsError):
            path.mkdir(mode=FOLDER_MODE)
        if not _is_folder(path):
            raise InvalidRequest(f"{path} is not a folder; links in buckets are not followed.")
        return path

    def _is_other(self, path: Path) -> bool:
        """Tell whether a path is spelled otherwise on disk, where spelling does not matter."""
        if not self.folds_case or not path.parent.is_dir():
            return False
        names = [entry.name for entry in path.parent.iterdir()]
        return path.name not in names and _folded(path.name) in map(_folded, names)

    def _prune(self, folder: Path) -> None:
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:  # it holds something
                return
            folder = folder.parent


def folds_case(folder: Path) -> bool:
    """Tell whether a folder, whose name has letters, is also found under another case."""
    return (folder.parent / folder.name.swapcase()).exists()


def is_file(path: Path) -> bool:
    """Tell whether a path is a file, and no link to one."""
    return stat.S_ISREG(_mode(path))


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError as error:
        if error.errno in _ABSENT:
            return 0
        raise


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
