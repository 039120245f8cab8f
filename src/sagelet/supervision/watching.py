"""Folders that are watched for edits, and what they hold.

An event says only that something may have changed: an editor writes a file three times, `git
checkout` writes it back as it was. `content_hashes` tells whether anything did.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from watchfiles import awatch

log = logging.getLogger(__name__)

_STEP_MS = 5
_DEBOUNCE_MS = 20
_LOOK_AGAIN_MS = 500  # for folders that appear, vanish or are links to another place now
_NOISY_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache"}
    | {".ruff_cache", ".venv", "venv", ".tox", ".nox", "node_modules"}  # large, and not the user's
)
_NOISY_FILES = (
    *("*.pyc", "*.pyo", "*.swp", "*.swx", "*.swo", "*~", ".#*", "#*#", "4913", ".DS_Store"),
    *("*.tmp", "*___jb_tmp___", "*___jb_old___", ".goutputstream-*", ".*.kate-swp"),
)


async def watch(folders: Iterable[Path], *, stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    """Yield the paths below some folders that may have changed, until `stop` is set.

    Files that the folders link to are watched where they are, and named by their link. A folder
    that is not there (yet) is waited for.
    """
    roots = tuple(Path(os.path.abspath(folder)) for folder in folders)  # noqa: PTH100 - links kept
    plan = _Plan.of(roots)
    polling: bool | None = None
    unseen: frozenset[Path] = frozenset()
    while not stop.is_set():
        if not plan.paths:
            await _pause(stop)
        else:
            try:
                async with contextlib.aclosing(_batches(plan, stop, polling=polling)) as batches:
                    async for batch in batches:
                        changed = plan.named(batch) | unseen
                        if changed:
                            yield changed
                        unseen = plan.links_to(batch)  # a replaced file is watched no more
                        if unseen or (plan.may_differ(batch) and _Plan.of(roots) != plan):
                            break
            except FileNotFoundError:
                log.debug("a watched path went away before it was watched")
            except OSError as error:
                log.warning("watching by looking every now and then: %s", error)
                polling = True
        fresh = _Plan.of(roots)
        # What changes before the new watch stands is not told: so look at all that is new in it.
        unseen |= fresh.differing(plan)
        plan = fresh


def content_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, by its relative path; links are followed.

    What editors and Python leave behind is passed over, and so is what vanishes meanwhile.
    """
    hashes = {}
    for path in filter(Path.is_file, _files(folder)):
        with contextlib.suppress(OSError), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            hashes[path.relative_to(folder).as_posix()] = digest
    return hashes


def files_below(folder: Path) -> Iterator[Path]:
    """Walk the files whose content counts below a folder; links are followed."""
    return _files(folder)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is watched: the roots that exist, and the files they link to, with their inodes."""

    roots: tuple[Path, ...]
    inodes: tuple[tuple[Path, int], ...]
    links: tuple[tuple[Path, Path, int], ...]

    @classmethod
    def of(cls, roots: tuple[Path, ...]) -> _Plan:
        linked = [path for root in roots for path in _files(root) if path.is_symlink()]
        links = tuple((link, link.resolve(), inode) for link, inode in _inodes(linked))
        return cls(roots, _inodes(roots), links)

    @property
    def paths(self) -> list[Path]:
        """What is there to be watched."""
        return [root for root, _ in self.inodes] + sorted({real for _, real, _ in self.links})

    def named(self, batch: Iterable[Path]) -> frozenset[Path]:
        """Return changed paths as they are called below the roots, without the noise."""
        targets = {real for _, real, _ in self.links}
        names = {path for path in batch if path not in targets} | self.links_to(batch)
        return frozenset(name for name in names if not self._is_noise(name))

    def links_to(self, batch: Iterable[Path]) -> frozenset[Path]:
        """Return the links whose targets are among some changed paths."""
        changed = set(batch)
        return frozenset(link for link, real, _ in self.links if real in changed)

    def may_differ(self, batch: Iterable[Path]) -> bool:
        """Whether it is worth a walk to see if there is another plan after some changes."""
        if self.inodes != _inodes(self.roots):
            return True
        linked = {link for link, _, _ in self.links}
        return any(path in linked or path.is_symlink() or not path.is_file() for path in batch)

    def differing(self, other: _Plan) -> frozenset[Path]:
        """Return the roots and links that are new or other than in another plan."""
        new_roots = {root for root, _ in set(self.inodes) ^ set(other.inodes)}
        new_links = {link for link, _, _ in set(self.links) ^ set(other.links)}
        return frozenset(new_roots | new_links)

    def _is_noise(self, path: Path) -> bool:
        for root in self.roots:
            if path.is_relative_to(root):
                parts = path.relative_to(root).parts
                return any(part in _NOISY_FOLDERS for part in parts) or _is_noisy(path.name)
        return _is_noisy(path.name)


class _Either(asyncio.Event):
    """Set when the caller's event is; watchfiles also sets the one that it is given itself."""

    def __init__(self, stop: asyncio.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


async def _batches(
    plan: _Plan, stop: asyncio.Event, *, polling: bool | None
) -> AsyncGenerator[list[Path], None]:
    """Yield what changed, and an empty list now and then."""
    events = awatch(
        *plan.paths,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=_Either(stop),
        rust_timeout=_LOOK_AGAIN_MS,
        yield_on_timeout=True,
        force_polling=polling,
        ignore_permission_denied=True,
    )
    async with contextlib.aclosing(events):
        async for batch in events:
            yield [Path(path) for _, path in batch]


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _LOOK_AGAIN_MS / 1000)


def _inodes(paths: Iterable[Path]) -> tuple[tuple[Path, int], ...]:
    """Return the paths that are there, each with the inode that it (or its target) is."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            found.append((path, path.stat().st_ino))
    return tuple(found)


def _files(folder: Path) -> Iterator[Path]:
    """Walk the files below a folder, through links, each real folder once."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(set(folders) - _NOISY_FOLDERS)
        yield from (Path(place, name) for name in sorted(files) if not _is_noisy(name))


def _is_noisy(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _NOISY_FILES)
