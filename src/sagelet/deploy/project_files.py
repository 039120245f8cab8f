"""Which files of a source folder are the project's: what ignore files leave, sorted by name.

`.gitignore` and `.sagemakerignore` (the same syntax) count in every folder, those above the source
up to the repository's root too. The deepest file that has a word on a path decides; in one folder
`.sagemakerignore` has the last word. What an editor or an interpreter leaves behind is never ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pathspec

from sagelet.errors import InvalidRequest

IGNORE_FILES = (".gitignore", ".sagemakerignore")

# Leftovers: left out, and a folder that holds some still counts as whole.
_LEFTOVERS = re.compile(
    r"__pycache__|.*\.py[co]|\.DS_Store|\.ipynb_checkpoints|\.(pytest|mypy|ruff)_cache"
    r"|.*~|\.#.*|\..*\.sw[op]"
)
# Other people's folders: left out, and a folder that holds one is not whole.
_FOREIGN = frozenset({".git", ".hg", ".svn", ".sagelet", ".venv", "node_modules"})


@dataclass(slots=True)
class Found:
    """Files by their name below the source, and the folders in which nothing was left out.

    The source itself has the name "".
    """

    files: dict[str, Path] = field(default_factory=dict)
    whole_folders: dict[str, Path] = field(default_factory=dict)


def find_files(source: Path, *, besides: Collection[Path] = (), ignoring: bool = True) -> Found:
    """Return the files of a source folder; `besides` are paths in it to leave out.

    Without `ignoring`, ignore files have no say.

    Raises:
        InvalidRequest: a link leads nowhere, or to a folder that holds it.
    """
    left_out = frozenset(path.resolve() for path in besides)
    found = Found()
    walk = _Walk(found, left_out, ignoring=ignoring)
    if walk.visit(source, "", _rules_above(source) if ignoring else (), ()):
        found.whole_folders[""] = source
    return found


@dataclass(frozen=True, slots=True)
class _Rules:
    """The ignore files of one folder."""

    folder: Path
    specs: tuple[pathspec.GitIgnoreSpec, ...]

    def verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        """Return whether a path is ignored, or None where nothing is said of it."""
        name = path.relative_to(self.folder).as_posix() + ("/" if is_folder else "")
        for spec in reversed(self.specs):
            if (ignored := spec.check_file(name).include) is not None:
                return ignored
        return None


@dataclass(frozen=True, slots=True)
class _Walk:
    found: Found
    left_out: frozenset[Path]
    ignoring: bool

    def visit(
        self,
        folder: Path,
        prefix: str,
        rules: Sequence[_Rules],
        above: tuple[tuple[int, int], ...],
    ) -> bool:
        """Collect a folder's files; return whether nothing in it was left out."""
        here = folder.stat()
        ring = (here.st_dev, here.st_ino)
        if ring in above:
            raise InvalidRequest(f"{folder} is a link to a folder that holds it.")
        rules = (*rules, *_rules_of(folder)) if self.ignoring else ()
        whole = True
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name in IGNORE_FILES or _LEFTOVERS.fullmatch(entry.name):
                continue
            if not self._take(entry, folder / entry.name, prefix, rules, (*above, ring)):
                whole = False
        return whole

    def _take(
        self,
        entry: os.DirEntry[str],
        path: Path,
        prefix: str,
        rules: Sequence[_Rules],
        above: tuple[tuple[int, int], ...],
    ) -> bool:
        """Collect one entry; return whether it was taken whole."""
        name = prefix + entry.name
        is_folder = entry.is_dir()
        if self._is_left_out(entry, path, rules, is_folder=is_folder):
            return False
        if is_folder:
            before = len(self.found.files)
            whole = self.visit(path, f"{name}/", rules, above)
            if whole and len(self.found.files) > before:
                self.found.whole_folders[name] = path
            return whole
        if entry.is_file():
            self.found.files[name] = path
            return True
        if entry.is_symlink():
            raise InvalidRequest(
                f"{path} is a link to nothing; remove it, or name it in .sagemakerignore."
            )
        return False

    def _is_left_out(
        self, entry: os.DirEntry[str], path: Path, rules: Sequence[_Rules], *, is_folder: bool
    ) -> bool:
        if is_folder and (entry.name in _FOREIGN or (path / "pyvenv.cfg").exists()):
            return True
        if self.left_out and path.resolve() in self.left_out:
            return True
        return _is_ignored(path, rules, is_folder=is_folder)


def _is_ignored(path: Path, rules: Sequence[_Rules], *, is_folder: bool) -> bool:
    for folder in reversed(rules):
        if (verdict := folder.verdict(path, is_folder=is_folder)) is not None:
            return verdict
    return False


def _rules_of(folder: Path) -> tuple[_Rules, ...]:
    specs = tuple(
        pathspec.GitIgnoreSpec.from_lines(
            (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        )
        for name in IGNORE_FILES
        if (folder / name).is_file()
    )
    return (_Rules(folder, specs),) if specs else ()


def _rules_above(source: Path) -> tuple[_Rules, ...]:
    """Return the rules of the folders above the source, the repository's root first.

    Rules that ignore the source itself do not count: it was named outright.
    """
    above: list[_Rules] = []
    folder = source
    while not (folder / ".git").exists():
        if folder.parent == folder:
            return ()  # no repository: the folders above are not this project's
        folder = folder.parent
        above[:0] = _rules_of(folder)
    return tuple(rules for rules in above if rules.verdict(source, is_folder=True) is not True)
