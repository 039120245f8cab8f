"""A tree of files that lie elsewhere: under hard links where nobody writes to it, else as copies.

A hard link is a name, made in microseconds whatever the file's size. A file that is stored again
under its key is a new one, so that a view stays as it was made. But whoever writes to the name
writes to the stored object: a view is to be the lower folder of an overlay, and nothing else.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sagelet.artifacts.disk import FOLDER_MODE, copy_file, disk_errors
from sagelet.artifacts.gunzip import SUFFIX, gunzip
from sagelet.artifacts.keys import MARK, is_text
from sagelet.errors import InvalidRequest

_NO_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}
)
# What the kernel takes for the lower folder of an overlay, without a try.
_SOUND = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "nfs", "nfs4", "overlay", "tmpfs", "xfs"}
)
_MOUNTS = Path("/proc/self/mountinfo")


class Tree:
    """A folder that is being filled. A name that leads outside, or two in one place, are refused.

    `copied_bytes` counts what was not linked.
    """

    def __init__(self, root: Path, *, links: bool) -> None:
        """Make the folder, where it is missing."""
        root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self.root = root
        self.copied_bytes = 0
        self._links = links
        self._folders: dict[str, str] = {"": str(root)}

    def add(self, name: str, source: Path) -> bool:
        """Show a file under a name; False where it is gone.

        Raises:
            InvalidRequest: it cannot be a file's name here.
            DiskFull: there is no space for a copy.
        """
        target = self._place(name)
        try:
            if not self._links or not _link(source, target):
                copy_file(source, Path(target))
                self.copied_bytes += source.stat().st_size
        except FileNotFoundError:
            return False
        except FileExistsError as error:
            raise in_the_way(name) from error
        return True

    def add_unzipped(self, name: str, source: Path) -> None:
        """Write what a gzip file holds under its name, without the `.gz`.

        Raises:
            UnsafeArchive: it is damaged, or a bomb; the error has the name.
            InvalidRequest, DiskFull: as for `add`.
        """
        try:
            with (
                disk_errors(self.root),
                Path(self._place(name.removesuffix(SUFFIX))).open("xb") as target,
            ):
                for piece in gunzip(source, name):
                    target.write(piece)
                    self.copied_bytes += len(piece)
        except FileExistsError as error:
            raise in_the_way(name) from error

    def add_folder(self, name: str) -> None:
        """Make a folder of a name."""
        self._folder(name.rstrip("/"))

    def _place(self, name: str) -> str:
        folder, _, leaf = name.rpartition("/")
        _check(leaf, name)
        return f"{self._folder(folder)}/{leaf}"

    def _folder(self, name: str) -> str:
        known = self._folders.get(name)
        if known is not None:
            return known
        above, _, leaf = name.rpartition("/")
        path = self._folder(above)
        if leaf:
            _check(leaf, name)
            path = f"{path}/{leaf}"
            try:
                with disk_errors(self.root):
                    os.mkdir(path, FOLDER_MODE)  # noqa: PTH102 - there may be 100,000 of them
            except FileExistsError as error:
                if not Path(path).is_dir():
                    raise in_the_way(name) from error
        self._folders[name] = path
        return path


def link_bucket(folder: Path, into: Path) -> bool:
    """Show the objects of a bucket's folder under hard links, without a look at each key.

    False, with whatever was linked by then, where a file's name is not the key's own or a link
    cannot be made: see `keys`.
    """
    return _link_below(str(folder), str(into))


def _link_below(folder: str, into: str) -> bool:
    is_made = False
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if MARK in name or not (name.isascii() or is_text(name)):
                return False
            if entry.is_dir(follow_symlinks=False):
                if not _link_below(entry.path, f"{into}/{name}"):
                    return False
            elif entry.is_file(follow_symlinks=False):
                if not is_made:
                    Path(into).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                    is_made = True
                try:
                    if not _link(entry.path, f"{into}/{name}"):
                        return False
                except FileNotFoundError:  # removed, or moved beside, just now
                    return False
    return True


def is_plain(folder: Path) -> bool:
    """Tell whether all below a folder is files and folders of one file system, none of them links.

    Only such a folder can be shown as it is: what is written through a link is written elsewhere,
    and what is mounted in it would not be seen.
    """
    device = folder.stat().st_dev
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.stat(follow_symlinks=False).st_dev != device:
                        return False
                    folders.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    return False
    return True


def glance(folder: Path, limit: int) -> int | None:
    """Return how many files are below a folder, counting no further than `limit`.

    None where there is something among them that takes a closer look: a link, a socket, a name in
    a bucket that is not the key's own.

    Raises:
        InvalidRequest: a file cannot be read.
    """
    count, folders = 0, [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if MARK in entry.name:
                    return None
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    return None
                elif not os.access(entry.path, os.R_OK):
                    raise InvalidRequest(f'"{entry.path}" cannot be read.')
                elif (count := count + 1) >= limit:
                    return count
    return count


def can_lie_under(folder: Path, upper: Path) -> bool:
    """Tell whether a folder can be an overlay's lower one, `upper` being one that works.

    What holds the upper folder cannot be, and not every file system can.
    """
    if folder == upper or folder in upper.parents:
        return False
    device = folder.stat().st_dev
    if device == upper.stat().st_dev:
        return True
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    for line in lines:
        mounted, _, kind = line.partition(" - ")
        if mounted.split()[2] == wanted:
            return kind.split()[0] in _SOUND
    return False


def in_the_way(name: str) -> InvalidRequest:
    """Return the error of two files in one place."""
    return InvalidRequest(f"{name!r} is in the way of another file of that name.")


def _link(source: Path | str, target: str) -> bool:
    """Make a hard link; False where there can be none."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def _check(leaf: str, name: str) -> None:
    if leaf in ("", ".", "..") or "\0" in leaf:
        raise InvalidRequest(f"The key {name!r} cannot be a file's name.")
