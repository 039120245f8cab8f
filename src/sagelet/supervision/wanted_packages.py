"""What is to be installed for an interpreter, and the folder that has it once it is."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import ChildFailed, RequirementsFailed
from sagelet.supervision import requirement_files
from sagelet.supervision.interpreters import Interpreters

INTERPRETERS = "interpreters"
"""The folder, beside the one of packages, that keeps what interpreters have."""

_NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.egg-info", ".git")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A requirements file, or the source of a package, or both, and the interpreter they are for.

    `packages` is what the interpreter has; `folder` is where the rest is, or will be.
    """

    file: Path | None
    source: Path | None
    python: Path
    packages: Mapping[str, str]
    folder: Path

    @property
    def path(self) -> Path:
        """What a failure names: the requirements file, or the package's setup.py."""
        if self.source is not None:
            return self.source / "setup.py"
        assert self.file is not None
        return self.file

    @property
    def title(self) -> str:
        """What is installed, for people."""
        if self.source is None:
            return self.path.name
        return "the source's package" + (f" and {self.file.name}" if self.file else "")

    @property
    def options(self) -> list[str]:
        """The lines of the file that tell where packages are found."""
        return [] if self.file is None else requirement_files.options(self.file)

    def written(self, scratch: Path) -> Path:
        """Return a requirements file that asks for all of it; a source is built from a copy."""
        if self.source is None:
            return self.path
        copy = scratch / "source"
        shutil.copytree(self.source, copy, ignore=_NOT_SOURCE)
        lines = [copy.as_uri()]
        if self.file is not None:
            lines = [*self.options, f"-r {self.file}", *lines]
        wanted = scratch / "wanted.txt"
        wanted.write_text("\n".join(lines) + "\n")
        return wanted


class PackageFolders:
    """The folders below `root`, one for each interpreter and what is wanted for it."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        """Take the folder; `environ` is what an interpreter is asked with."""
        self._root = root
        self._interpreters = Interpreters(root.with_name(INTERPRETERS), environ)

    def wanted(self, python: Path, file: Path | None, source: Path | None = None) -> Wanted:
        """Return what is wanted, and where it is or will be.

        Raises:
            RequirementsFailed: the interpreter does not answer, or the file is no text.
        """
        said_of = str(file or source)
        try:
            found = self._interpreters.installed(python)
            text = requirement_files.whole_text(file) if file is not None else ""
        except (ChildFailed, UnicodeDecodeError) as error:
            raise RequirementsFailed(path=said_of, said=str(error)) from error
        digest = hashlib.sha256()
        packages = sorted(found.packages.items())
        digest.update(repr((str(python), found.version, packages, text)).encode())
        for name, content in _files_of(source) if source is not None else ():
            digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        folder = self._root / digest.hexdigest()[:32]
        return Wanted(file, source, python, found.packages, folder)


def _files_of(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a package may be built from, by their names."""
    for folder, folders, names in os.walk(source):
        skipped = _NOT_SOURCE(folder, folders)
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file():
                yield str(path.relative_to(source)), path.read_bytes()
