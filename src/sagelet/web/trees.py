"""Reading what is in archives and folders, for pages. Nothing is unpacked, all of it is bounded.

An archive is read by the reader that refuses whatever is unsafe, for a few seconds at most.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from sagelet.artifacts.files import Artifacts, Uri
from sagelet.artifacts.sniffing import SNIFFED_BYTES, check_is_gzip
from sagelet.artifacts.tarstream import Kind, RefusedTar, TarStream
from sagelet.artifacts.unpacking import DEFAULT_LIMITS, MeteredGzip, refuse_unsafe
from sagelet.artifacts.uris import FileUri, S3Uri
from sagelet.errors import KeyNotFound
from sagelet.web.names import visible
from sagelet.web.tree import Entry, Listing, Preview, tree_of

MEMBERS_AT_MOST = 10_000
PREVIEW_BYTES = 64_000
BEGINNING_BYTES = 1_000_000
_SECONDS = 5.0
_KEPT = 8
_TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D, 0x1B}

_Key: TypeAlias = tuple[str, int, int]


class Trees:
    """Lists archives and folders, and remembers the last few archives. Every method blocks."""

    def __init__(self, artifacts: Artifacts) -> None:
        """Read with these."""
        self._artifacts = artifacts
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Listing] = OrderedDict()

    def listing(self, uri: Uri) -> Listing:
        """Return what is at a URI.

        Raises:
            ModelDataMissing: nothing is.
        """
        if self._artifacts.is_folder(uri):
            return _folder(self._artifacts, uri)
        path = self._artifacts.local_path(uri)
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _archive(path)
        with self._lock:
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def preview(self, uri: Uri, name: str) -> Preview:
        """Return the beginning of one of the files at a URI.

        Raises:
            ModelDataMissing: there is nothing at the URI.
            KeyNotFound: there is no such file in it, or it cannot be read.
        """
        try:
            if self._artifacts.is_folder(uri):
                return self._preview_in_folder(uri, name)
            return _preview_in_archive(self._artifacts.local_path(uri), name)
        except (RefusedTar, OSError) as error:
            raise KeyNotFound(name=name) from error

    def _preview_in_folder(self, uri: Uri, name: str) -> Preview:
        for found, path in files_of(self._artifacts, uri):
            if found == name:
                with path.open("rb") as file:
                    return _previewed(name, path.stat().st_size, file.read(PREVIEW_BYTES + 1))
        raise KeyNotFound(name=name)


def _folder(artifacts: Artifacts, uri: Uri) -> Listing:
    found = list(islice(files_of(artifacts, uri), MEMBERS_AT_MOST + 1))
    entries = [Entry(name, path.stat().st_size) for name, path in found if path.is_file()]
    shown = entries[:MEMBERS_AT_MOST]
    return Listing(
        sum(entry.size_bytes for entry in shown),
        is_archive=False,
        root=tree_of(shown),
        names=frozenset(entry.name for entry in shown),
        is_cut=len(found) > MEMBERS_AT_MOST,
    )


def files_of(artifacts: Artifacts, uri: Uri) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder, without listing all of a large one first."""
    if isinstance(uri, FileUri):
        yield from _walk(uri.path)
        return
    inside = uri if not uri.key or uri.key.endswith("/") else S3Uri(uri.bucket, f"{uri.key}/")
    for named in artifacts.named_by(inside):
        if named.found is not None and named.found.path is not None:
            yield named.name, named.found.path


def _walk(top: Path) -> Iterator[tuple[str, Path]]:
    seen = set()
    # What is served from a project is a folder of links into it.
    for root, folders, names in os.walk(top, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = Path(root, name)
            yield path.relative_to(top).as_posix(), path


def _archive(path: Path) -> Listing:
    entries: list[Entry] = []
    refused, is_cut = "", False
    try:
        for entry in _entries(path):
            if len(entries) >= MEMBERS_AT_MOST:
                is_cut = True
                break
            entries.append(entry)
    except RefusedTar as error:
        refused = visible(str(error))
    except _TooLong:
        is_cut = True
    return Listing(
        path.stat().st_size,
        is_archive=True,
        root=tree_of(entries),
        names=frozenset(entry.name for entry in entries),
        refused=refused,
        is_cut=is_cut,
    )


class _TooLong(Exception):
    """An archive takes longer to read than somebody waits for."""


def _entries(path: Path) -> Iterator[Entry]:
    with path.open("rb") as file:
        check_is_gzip(file.read(SNIFFED_BYTES))
        file.seek(0)
        stream = TarStream(_Timed(MeteredGzip(file, DEFAULT_LIMITS)))
        for member in stream.members():
            refuse_unsafe(member, DEFAULT_LIMITS)
            if member.kind is not Kind.FOLDER:
                is_file = member.kind is Kind.FILE
                target = "" if is_file else member.target
                yield Entry(member.name.removeprefix("./"), member.size_bytes, target)
        stream.drain()


class _Timed:
    """A source that gives up in time."""

    def __init__(self, source: MeteredGzip) -> None:
        self._source = source
        self._until = time.monotonic() + _SECONDS

    def read(self, size: int, /) -> bytes:
        if time.monotonic() > self._until:
            raise _TooLong
        return self._source.read(size)


def read_archived(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, int, bytes]]:
    """Yield files of an archive: name, size, and the beginning of the content.

    Raises:
        RefusedTar: it would not be unpacked.
    """
    with path.open("rb") as file:
        check_is_gzip(file.read(SNIFFED_BYTES))
        file.seek(0)
        stream = TarStream(_Timed(MeteredGzip(file, DEFAULT_LIMITS)))
        try:
            for member in stream.members():
                refuse_unsafe(member, DEFAULT_LIMITS)
                name = member.name.removeprefix("./")
                if member.kind is Kind.FILE and wanted(name):
                    yield name, member.size_bytes, _beginning(stream.content())
        except _TooLong:
            return


def _preview_in_archive(path: Path, name: str) -> Preview:
    for found, size_bytes, data in read_archived(path, lambda each: each == name):
        return _previewed(found, size_bytes, data)
    raise KeyNotFound(name=name)


def _beginning(pieces: Iterable[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        if len(found) <= BEGINNING_BYTES:
            found += piece
    return bytes(found)


def _previewed(name: str, size_bytes: int, data: bytes) -> Preview:
    head = data[:PREVIEW_BYTES]
    is_text = all(byte in _TEXT or byte >= 0x80 for byte in head)
    try:
        text = head.decode("utf-8", "strict" if len(data) <= PREVIEW_BYTES else "ignore")
    except UnicodeDecodeError:
        is_text, text = False, ""
    return Preview(name, size_bytes, text if is_text else None, is_cut=size_bytes > len(head))
