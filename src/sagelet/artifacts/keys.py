"""How a key becomes a path in its bucket's folder, and a path the key again.

An ordinary key is its own path: `data/train.csv` is the file `train.csv` in the folder `data`. What
a file system cannot hold is written with the mark `%~`:

    key                  path               why
    a//b, a/             a/%~e/b, a/%~e     an empty name
    a/./b, a/../b        a/%~1/b, a/%~2/b   names that mean other folders
    NUL in a name        %~0
    %~ in a name         %~~                the mark itself
    a name > 255 bytes   <240>%~c/<rest>    it goes on in the next folder
    a beside a/b         %~f/a, a/b         `a` cannot be both file and folder (see `places`)

`names_of` and `segment_of` are inverse to each other. Names that `names_of` never makes (with a
stray mark, or with bytes that are not UTF-8) are no part of a key, and are not listed. No key leads
out of its bucket's folder: its names hold no `/` and no NUL, and are never empty, `.` or `..`.
"""

from __future__ import annotations

import re

MARK = "%~"
CONTINUED = "%~c"
BESIDE = "%~f"
MAX_KEY_BYTES = 1024

_WHOLE = {"": "%~e", ".": "%~1", "..": "%~2"}
_WHOLE_BACK = {token: name for name, token in _WHOLE.items()}
_INNER_BACK = {"%~~": MARK, "%~0": "\0"}
_ATOM = re.compile(r"%~.|.", re.DOTALL)
_NAME_BYTES = 255
_PIECE_BYTES = 240
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def is_bucket_name(name: str) -> bool:
    """Tell whether S3 takes this as a bucket's name (its rules for general purpose buckets)."""
    return bool(_BUCKET.fullmatch(name)) and ".." not in name and not _ADDRESS.fullmatch(name)


def is_key(key: str) -> bool:
    """Tell whether S3 takes this as a key: 1 to 1024 bytes of UTF-8."""
    try:
        return 0 < len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def is_text(name: str) -> bool:
    """Tell whether a file's name is UTF-8, as every part of a key is."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def path_of(key: str) -> tuple[str, ...]:
    """Return the names that lead from a bucket's folder to a key's file."""
    return tuple(name for segment in key.split("/") for name in names_of(segment))


def names_of(segment: str) -> tuple[str, ...]:
    """Return the name of one segment of a key; several where it is too long for one."""
    name = segment.replace(MARK, "%~~").replace("\0", "%~0")
    if len(name.encode()) <= _NAME_BYTES:
        return (_WHOLE.get(name, name),)
    pieces = [""]
    for atom in _ATOM.findall(name):
        if len((pieces[-1] + atom).encode()) > _PIECE_BYTES:
            pieces.append("")
        pieces[-1] += atom
    *firsts, last = pieces
    return (*(piece + CONTINUED for piece in firsts), _WHOLE.get(last, last))


def segment_of(names: tuple[str, ...]) -> str | None:
    """Return the segment that `names_of` writes so; None where it writes none so."""
    pieces = [_plain(name.removesuffix(CONTINUED)) for name in names[:-1]] + [_plain(names[-1])]
    segment = "".join(piece or "" for piece in pieces)
    return segment if None not in pieces and names_of(segment) == names else None


def _plain(name: str) -> str | None:
    """Undo the marks of one name."""
    if name in _WHOLE_BACK:
        return _WHOLE_BACK[name]
    if MARK not in name:
        return name
    atoms = [_INNER_BACK.get(atom, atom) for atom in _ATOM.findall(name)]
    return None if any(atom.startswith(MARK) and atom != MARK for atom in atoms) else "".join(atoms)
