"""Which Python and torch a project has, read from its environment's files; nothing is run."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from dataclasses import dataclass
from pathlib import Path

_VERSION = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", re.MULTILINE)
_TORCH = re.compile(r"torch-([^-]+)\.dist-info")


@dataclass(frozen=True, slots=True)
class Versions:
    """`python` is major and minor ("3.11"), `torch` a full version; None where unknown."""

    python: str | None
    torch: str | None


def project_versions(python: Path | None) -> Versions:
    """Return the versions of an interpreter's environment; of this program's own for None.

    A virtual environment says its Python in `pyvenv.cfg`, and a conda one in its folders' names.
    """
    if python is None:
        return Versions(".".join(platform.python_version_tuple()[:2]), _own_torch())
    prefix = python.parent.parent
    packages = sorted(prefix.glob("lib/python*/site-packages"))
    return Versions(_python_of(prefix, packages), _torch_in(packages))


def _own_torch() -> str | None:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def _python_of(prefix: Path, packages: list[Path]) -> str | None:
    config = prefix / "pyvenv.cfg"
    if config.is_file() and (said := _VERSION.search(config.read_text(encoding="utf-8"))):
        return said[1]
    return packages[0].parent.name.removeprefix("python") if len(packages) == 1 else None


def _torch_in(packages: list[Path]) -> str | None:
    for folder in packages:
        for entry in folder.glob("torch-*.dist-info"):
            if found := _TORCH.fullmatch(entry.name):
                return found[1]
    return None
