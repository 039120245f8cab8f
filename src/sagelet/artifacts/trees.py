"""Which files a folder holds, as names for an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sagelet.errors import InvalidRequest


def members_of(root: Path, members: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """Return what an archive of `root` holds: names with `/`, sorted, and where their content lies.

    With `members` it is exactly those: name in the archive to path, a relative path being below
    `root`, a folder standing for all that is in it. Links are followed, so that their content is
    what travels. Sockets, FIFOs and devices hold no data and are left out. Raises InvalidRequest
    for a link to nothing, a ring of links, a missing member and a name that leads outside.
    """
    if members is None:
        if not root.is_dir():
            raise InvalidRequest(f"{root} is not a folder.")
        return dict(sorted(_below(root, "", ())))
    found: dict[str, Path] = {}
    for name, path in members.items():
        found.update(_named(_checked(name), root / path))
    return dict(sorted(found.items()))


def is_executable(path: Path) -> bool:
    """Tell whether a file's owner may run it."""
    return bool(path.stat().st_mode & 0o100)


def _checked(name: str) -> str:
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise InvalidRequest(f"{name!r} cannot be a name in an archive.")
    return name


def _named(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_dir():
        yield name, path
        yield from _below(path, f"{name}/", ())
    elif path.is_file():
        yield name, path
    else:
        raise InvalidRequest(f"{path} is neither a file nor a folder.")


def _below(
    folder: Path, prefix: str, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, Path]]:
    """Yield all that is below a folder; `above` are the folders on the way, against rings."""
    stat = folder.stat()
    here = (stat.st_dev, stat.st_ino)
    if here in above:
        raise InvalidRequest(f"{folder} is a link to a folder that holds it.")
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir():
                yield prefix + entry.name, path
                yield from _below(path, f"{prefix}{entry.name}/", (*above, here))
            elif entry.is_file():
                yield prefix + entry.name, path
            elif entry.is_symlink() and not path.exists():
                raise InvalidRequest(f"{path} is a link to nothing.")
