"""Keys in S3's order, read from a bucket's folders.

Only the folders that can hold an asked-for key are opened; each is read whole and sorted. Keys are
compared as S3 compares them: Python orders text by code point, which is the order of UTF-8's bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sagelet.artifacts.keys import BESIDE, CONTINUED, MARK, is_key, is_text, names_of, segment_of

LAST = "\U0010ffff"
"""Sorts after every character: `prefix + LAST` is after all keys with that prefix."""


class FoundKey(NamedTuple):
    """A key, and its file."""

    key: str
    path: Path


class FoundPrefix(NamedTuple):
    """What some keys have in common, up to a delimiter."""

    prefix: str


class Query(NamedTuple):
    """Which keys: those with a prefix, after another key, grouped at a delimiter."""

    prefix: str = ""
    after: str = ""
    delimiter: str = ""


def walk(folder: Path | None, at: str, query: Query) -> Iterator[FoundKey | FoundPrefix]:
    """Yield what a query finds in a folder, in order.

    `at` is the key of the folder itself: empty, or everything up to and with a `/`; all before it
    is the query's prefix.
    """
    if folder is None:
        return iter(())
    if query.delimiter in ("", "/"):
        return _walk(folder, at, query)
    return _grouped(_walk(folder, at, Query(query.prefix, query.after)), query)


def folder_of(prefix: str) -> str:
    """Return the part of a prefix that names a folder."""
    return prefix[: prefix.rfind("/") + 1]


def folder_names(folder: str) -> list[str]:
    """Return the names on disk that lead to `folder_of` a prefix."""
    return [name for segment in folder.split("/")[:-1] for name in names_of(segment)]


class _Entry(NamedTuple):
    """A file or a folder; a folder's text ends with `/`."""

    text: str
    path: Path


def _walk(folder: Path, at: str, query: Query) -> Iterator[FoundKey | FoundPrefix]:
    for entry in sorted(_entries(folder), key=lambda entry: entry.text):
        key = at + entry.text
        if _is_folder(entry):
            yield from _into(entry, key, query)
        elif key.startswith(query.prefix) and key > query.after and is_key(key):
            yield FoundKey(key, entry.path)


def _into(entry: _Entry, key: str, query: Query) -> Iterator[FoundKey | FoundPrefix]:
    inside = key.startswith(query.prefix)
    if not inside and not query.prefix.startswith(key):
        return
    if key <= query.after and not query.after.startswith(key):
        return
    if query.delimiter and inside and key != query.prefix:
        below = _walk(entry.path, key, Query(query.prefix, query.after))
        if key != query.after and next(below, None) is not None:
            yield FoundPrefix(key)
    else:
        yield from _walk(entry.path, key, query)


def _is_folder(entry: _Entry) -> bool:
    return entry.text.endswith("/")


def _grouped(
    found: Iterator[FoundKey | FoundPrefix], query: Query
) -> Iterator[FoundKey | FoundPrefix]:
    """Group keys at a delimiter that is not the file system's."""
    group = None
    for each in found:
        if not isinstance(each, FoundKey) or (group and each.key.startswith(group)):
            continue
        head, delimiter, _ = each.key[len(query.prefix) :].partition(query.delimiter)
        if not delimiter:
            yield each
            continue
        group = query.prefix + head + delimiter
        if group != query.after:
            yield FoundPrefix(group)


def _entries(folder: Path, begun: tuple[str, ...] = ()) -> Iterator[_Entry]:
    """Yield what a folder holds; names that go on in another folder are put together."""
    for entry in _listed(folder):
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and entry.name == BESIDE:
            yield from _beside(folder, begun)
        elif is_folder and entry.name.endswith(CONTINUED):
            yield from _entries(folder / entry.name, (*begun, entry.name))
        elif is_folder or entry.is_file(follow_symlinks=False):
            text = _text((*begun, entry.name))
            if text is not None:
                yield _Entry(text + "/" if is_folder else text, folder / entry.name)


def _beside(folder: Path, begun: tuple[str, ...]) -> Iterator[_Entry]:
    """Yield the files that a folder of the same name has pushed beside."""
    for entry in _listed(folder / BESIDE):
        text = _text((*begun, entry.name))
        usual = folder / entry.name
        if text is None or not entry.is_file(follow_symlinks=False):
            continue
        if usual.is_symlink() or not usual.is_file():  # else the usual place counts
            yield _Entry(text, folder / BESIDE / entry.name)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:  # removed since its parent was read
        return []


def _text(names: tuple[str, ...]) -> str | None:
    """Return the segment of a key that these names are, or None where they are none."""
    if len(names) == 1 and MARK not in names[0]:
        return names[0] if is_text(names[0]) else None
    return segment_of(names)
