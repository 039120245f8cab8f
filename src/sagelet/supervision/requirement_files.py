"""Requirements files as pip reads them: what they include, and the options that they carry."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

_INCLUDES = re.compile(r"^(?:-r|--requirement|-c|--constraint)(?:\s+|=)?(.+)$")
_FIND_LINKS = re.compile(r"^(-f|--find-links)(?:\s+|=)(.+)$")
_INDEX_OPTIONS = (
    *("-i", "--index-url", "--extra-index-url", "--no-index", "-f", "--find-links"),
    *("--trusted-host", "--prefer-binary", "--pre", "--only-binary", "--no-binary"),
)


def whole_text(file: Path) -> str:
    """Return a requirements file with those that it includes, one after the other."""
    return "\n".join(path.read_text(encoding="utf-8-sig") for path in _files(file))


def options(file: Path) -> list[str]:
    """Return the lines that tell where packages are found, paths made absolute."""
    return [
        _absolute(line, path.parent)
        for path in _files(file)
        for line in _lines(path)
        if line.startswith("-") and _option(line) in _INDEX_OPTIONS
    ]


def _files(file: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Walk a file and what it includes; one that is missing is the installer's to complain of."""
    path = file.resolve()
    if path in seen or not path.is_file():
        return
    yield path
    for line in _lines(path):
        included = _INCLUDES.match(line)
        if included:
            yield from _files(path.parent / included[1].strip(), seen | {path})


def _lines(path: Path) -> list[str]:
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def _option(line: str) -> str:
    return re.split(r"[\s=]", line, maxsplit=1)[0]


def _absolute(line: str, folder: Path) -> str:
    links = _FIND_LINKS.match(line)
    if links is None or "://" in links[2]:
        return line
    # Unquoted in the file, quoted here: pip splits option lines as a shell does.
    return f"{links[1]} {shlex.quote(str((folder / links[2]).resolve()))}"
