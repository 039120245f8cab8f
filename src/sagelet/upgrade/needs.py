"""What a script imports, itself and through the modules beside it, and what is to be installed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import UnreadableSource
from sagelet.upgrade.images import normal
from sagelet.upgrade.program import Program
from sagelet.upgrade.sources import read_source

_NAME = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")
_MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class Import:
    """A module that is imported, by the first part of its name, and where."""

    module: str
    path: Path
    node: ast.stmt


@dataclass(frozen=True, slots=True)
class Requirement:
    """A line of requirements.txt with a name, and its number."""

    name: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a requirements.txt lists. `is_open`: there are lines that name nothing."""

    listed: tuple[Requirement, ...] = ()
    is_open: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The normal names of what is listed."""
        return frozenset(normal(each.name) for each in self.listed)


def read_requirements(text: str) -> Requirements:
    """Return what a requirements.txt lists."""
    listed, is_open = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        said = line.partition(" #")[0].strip()
        if not said or said.startswith("#"):
            continue
        match = _NAME.match(line)
        is_place = "/" in said.partition(";")[0].partition("@")[0] or said.startswith(".")
        if said.startswith("-") or match is None or is_place:
            # `-r other.txt`, `-e .`, a path, an address: who knows what it brings.
            is_open = is_open or not said.startswith(("--hash", "--index", "--extra", "-i "))
            continue
        listed.append(Requirement(match["name"], number, match.start("name") + 1))
    return Requirements(tuple(listed), is_open)


def imports_of(program: Program, path: Path, roots: tuple[Path, ...]) -> Iterator[Import]:
    """Yield what a script imports that is not beside it, once a module.

    Modules in its own folder or in `roots` are read in turn, and theirs are yielded too.
    """
    seen: set[str] = set()
    looked_up: dict[tuple[str, Path], list[Path]] = {}
    read: set[Path] = {path.absolute()}
    waiting = [(program, path)]
    while waiting and len(read) < _MOST_FILES:
        current, place = waiting.pop(0)
        for node, name in _imported(current):
            key = (name, place.parent)
            if key not in looked_up:
                looked_up[key] = _local_files(name, (place.parent, *roots))
            files = looked_up[key]
            for file in files:
                if file.absolute() not in read:
                    read.add(file.absolute())
                    waiting += _read(file)
            module = name.partition(".")[0]
            if not files and module and module not in seen:
                seen.add(module)
                yield Import(module, place, node)


def _imported(program: Program) -> Iterator[tuple[ast.stmt, str]]:
    """Yield import statements that have to succeed, with the names that they import."""
    found: list[tuple[ast.stmt, str]] = []
    for plain in program.nodes(ast.Import):
        found += [(plain, alias.name) for alias in plain.names]
    for node in program.nodes(ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        found.append((node, module))
        found += [(node, f"{module}.{alias.name}") for alias in node.names if _is_local(module)]
    found.sort(key=lambda each: each[0].lineno)
    yield from (each for each in found if not _may_fail(program, each[0]))


def _is_local(module: str) -> bool:
    """Whether `from module import name` may import a module: from a package beside, it may."""
    return module.startswith(".") or "." not in module


def _may_fail(program: Program, node: ast.stmt) -> bool:
    """Whether an import is tried only, or for type checkers."""
    below: ast.AST = node
    for above in program.ancestors(node):
        if isinstance(above, ast.Try) and (below in above.body or below in above.handlers):
            return True
        if isinstance(above, ast.If) and below is not above.test:
            return True
        below = above
    return False


def _local_files(name: str, folders: tuple[Path, ...]) -> list[Path]:
    """Return the files beside a script that a name may mean."""
    bare = name.lstrip(".")
    level = len(name) - len(bare)
    if level:
        folder = folders[0]
        for _level in range(level - 1):
            folder = folder.parent
        folders = (folder,)
    parts = [part for part in bare.split(".") if part]
    for folder in folders:
        found = _files_below(folder, parts)
        if found:
            return found
    return []


def _files_below(folder: Path, parts: list[str]) -> list[Path]:
    found: list[Path] = []
    place = folder
    for part in parts:
        if (place / f"{part}.py").is_file():
            return [*found, place / f"{part}.py"]
        place = place / part
        if not place.is_dir():
            break
        if (place / "__init__.py").is_file():
            found.append(place / "__init__.py")
        elif any(place.glob("*.py")):
            found.append(next(place.glob("*.py")))
    return found


def _read(file: Path) -> list[tuple[Program, Path]]:
    try:
        source = read_source(file)
    except UnreadableSource:
        return []  # it is told of where it is checked itself
    return [] if source.tree is None else [(Program(source.tree, source.text), file)]
