"""A model as a folder of links, in the layout of its archive: what a local endpoint serves.

The links lead to the project's own files, so that saving one is enough to change what is served.
A folder in which nothing was left out is one link, and new files in it are seen too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from sagelet.deploy.packaging import Package


def stage(package: Package, folder: Path) -> Path:
    """Bring a folder of links to what the package holds, touching only what differs; return it."""
    links = _links(package)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, "", links, _parents(links))
    for name, target in links.items():
        _link(folder / name, target)
    return folder


def is_staged(package: Package, folder: Path) -> bool:
    """Tell whether a folder of links is what `stage` would make of it."""
    links = _links(package)
    return _links_in(folder, "") == links if folder.is_dir() else False


def _links_in(folder: Path, prefix: str) -> dict[str, Path]:
    """Return the links below a folder; a file or an empty folder stands for itself."""
    found: dict[str, Path] = {}
    with os.scandir(folder) as scan:
        entries = list(scan)
    for entry in entries:
        path, name = Path(entry.path), prefix + entry.name
        if entry.is_symlink():
            found[name] = path.readlink()
        elif entry.is_dir():
            found.update(_links_in(path, f"{name}/") or {name: path})
        else:
            found[name] = path
    return found


def _links(package: Package) -> dict[str, Path]:
    """Return the fewest links that show the package: name to target."""
    links: dict[str, Path] = {}
    for name, path in package.members.items():
        for parent in reversed(PurePosixPath(name).parents):
            if (whole := package.whole_folders.get(str(parent))) is not None:
                links[str(parent)] = whole
                break
        else:
            links[name] = path
    return links


def _parents(links: Mapping[str, Path]) -> frozenset[str]:
    return frozenset(str(parent) for name in links for parent in PurePosixPath(name).parents)


def _remove_others(
    folder: Path, prefix: str, links: Mapping[str, Path], parents: frozenset[str]
) -> None:
    with os.scandir(folder) as scan:
        entries = list(scan)
    for entry in entries:
        name = prefix + entry.name
        path = Path(entry.path)
        if name in parents and entry.is_dir(follow_symlinks=False):
            _remove_others(path, f"{name}/", links, parents)
        elif name not in links or entry.is_dir(follow_symlinks=False):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _link(place: Path, target: Path) -> None:
    if place.is_symlink() and place.readlink() == target:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # A name that the watch on the folder passes over.
    temporary = place.with_name(f".{place.name}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(place)
