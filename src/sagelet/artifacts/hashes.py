"""Content hashes: of a file, and of a tree as an archive would hold it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sagelet.artifacts.trees import is_executable, members_of


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_hash(tree: Path | Mapping[str, Path]) -> str:
    """Return one SHA-256 for all names, contents and executable bits of a folder.

    A mapping of names in the archive to paths is hashed as the folder that it describes. Equal
    hashes mean equal archives; times and owners do not count.
    """
    members = members_of(tree) if isinstance(tree, Path) else members_of(Path(), tree)
    total = hashlib.sha256()
    for name, path in members.items():
        kind = "d" if path.is_dir() else "x" if is_executable(path) else "f"
        content = "" if kind == "d" else sha256_of(path)
        total.update(f"{len(name)}:{name}:{kind}:{content}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
