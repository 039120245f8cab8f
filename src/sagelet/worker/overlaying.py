"""Folders that appear in a job's tree without a copy: what is written to them stays the job's.

With an upper folder it is the kernel's overlayfs, without one a bind mount that cannot be written
to. The kernel gets folders as open descriptors, so that a `:` or `,` in their names means nothing.
Where a mount is refused, the folder is copied into the tree.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sagelet.worker import libc
from sagelet.worker.spec import Overlay

_O_PATH: int = getattr(os, "O_PATH", 0)
_MOUNTS = Path("/proc/self/mountinfo")
_OWNER_ONLY = 0o700


@dataclass(frozen=True)
class Missed:
    """An overlay that was not mounted, and why."""

    overlay: Overlay
    why: str


class Overlays:
    """The overlays of one tree, opened before anything covers their folders."""

    def __init__(self, overlays: Sequence[Overlay]) -> None:
        """Open what they consist of; what cannot be opened is in `missed`."""
        self.missed: list[Missed] = []
        self._stack = ExitStack()
        self._opened: list[tuple[Overlay, list[int]]] = []
        for overlay in overlays:
            folders = [overlay.lower, overlay.upper, overlay.work]
            try:
                opened = [self._open(folder) for folder in folders[: 3 if overlay.upper else 1]]
            except OSError as error:
                self._miss(overlay, error)
            else:
                self._opened.append((overlay, opened))

    def close(self) -> None:
        """Close the folders; mounts stay."""
        self._stack.close()

    def mount(self, tree: Path, *, rootless: bool) -> list[Path]:
        """Mount them below a tree; return where. What is refused is in `missed`."""
        mounted = []
        for overlay, opened in self._opened:
            target = tree / overlay.target
            try:
                if overlay.upper:
                    _overlay(overlay, opened, target, rootless=rootless)
                else:
                    _bind(opened[0], target)
            except OSError as error:
                self._miss(overlay, error)
            else:
                mounted.append(target)
        return mounted

    def _open(self, folder: str) -> int:
        descriptor = os.open(folder, _O_PATH | os.O_CLOEXEC)
        self._stack.callback(os.close, descriptor)
        return descriptor

    def _miss(self, overlay: Overlay, error: OSError) -> None:
        self.missed.append(Missed(overlay, error.strerror or str(error)))


def _overlay(overlay: Overlay, opened: Sequence[int], target: Path, *, rootless: bool) -> None:
    if _has_mounts_below(overlay.lower):
        raise OSError(f"another file system is mounted in {overlay.lower}")
    target.mkdir(parents=True, exist_ok=True)
    names = ("lowerdir", "upperdir", "workdir")
    options = [f"{name}={_path(folder)}" for name, folder in zip(names, opened)]
    if rootless:  # who is not root may not set the attributes that overlayfs sets otherwise
        options.append("userxattr")
    libc.mount("overlay", str(target), "overlay", 0, ",".join(options))
    with contextlib.suppress(OSError):  # so that it can be removed: the kernel gives it no mode
        Path(overlay.work, "work").chmod(_OWNER_ONLY)


def _bind(lower: int, target: Path) -> None:
    if Path(_path(lower)).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    libc.mount(_path(lower), str(target), None, libc.MS_BIND | libc.MS_REC)
    try:
        libc.make_read_only(str(target))
    except OSError:
        libc.unmount(str(target))
        raise


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _has_mounts_below(folder: str) -> bool:
    """Whether something is mounted in a folder; an overlay of it would not show that."""
    below = os.path.realpath(folder).rstrip("/") + "/"
    with _MOUNTS.open(encoding="utf-8", errors="surrogateescape") as mounts:
        points = [line.split(" ", 5)[4] for line in mounts]
    return any(_unescaped(point).startswith(below) for point in points)


def _unescaped(point: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        point = point.replace(code, character)
    return point


def copy(missed: Sequence[Missed], opt_ml: str) -> str:
    """Copy what could not be mounted into the tree; say so in a line, or "" where all was.

    Raises:
        OSError: it cannot be copied.
    """
    for each in missed:
        target = Path(opt_ml, each.overlay.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(each.overlay.lower).is_dir():
            shutil.copytree(each.overlay.lower, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(each.overlay.lower, target)
    if not missed:
        return ""
    targets = ", ".join(each.overlay.target for each in missed)
    return f"copied into the tree, since it cannot be overlaid here ({missed[0].why}): {targets}"
