"""Unpacking with every suspicion. What is refused is refused whole, and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sagelet.artifacts.disk import disk_errors, random_name
from sagelet.artifacts.sniffing import SNIFFED_BYTES, check_is_gzip
from sagelet.artifacts.tarstream import Kind, Member, RefusedTar, TarStream
from sagelet.errors import UnsafeArchive

_GIB = 1 << 30
_LATEST_S = 1 << 33
_NAME_BYTES = 255

Names = tuple[str, ...]


class ArchiveLimits(NamedTuple):
    """What an archive may ask for. The ratio counts only beyond `ratio_from_bytes`."""

    members: int = 100_000
    total_bytes: int = 64 * _GIB
    ratio: int = 200
    ratio_from_bytes: int = _GIB // 4
    depth: int = 64
    name_bytes: int = 1024


DEFAULT_LIMITS = ArchiveLimits()


def unpack(archive: Path, into: Path, *, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
    """Unpack a gzipped tar into a folder that does not exist yet: whole, or not at all.

    Raises UnsafeArchive with the reason, DiskFull, and FileExistsError where `into` exists.
    Set-user-ID bits, owners and group and other's right to write are not taken over.
    """
    if os.path.lexists(into):
        raise FileExistsError(f"{into} exists")
    into.parent.mkdir(parents=True, exist_ok=True)
    draft = into.parent / f".{into.name}.{random_name()}"
    try:
        with disk_errors(into.parent), archive.open("rb") as file:
            draft.mkdir()
            _unpack(file, _Tree(draft, limits), limits)
        draft.rename(into)
    except RefusedTar as error:
        raise UnsafeArchive(archive=archive.name, reason=str(error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _unpack(file: BinaryIO, tree: _Tree, limits: ArchiveLimits) -> None:
    check_is_gzip(file.read(SNIFFED_BYTES))
    file.seek(0)
    stream = TarStream(MeteredGzip(file, limits))
    for member in stream.members():
        tree.add(member, stream)
    stream.drain()  # gzip's checksum stands at its end, behind what a tar reader needs
    tree.make_links()


class MeteredGzip:
    """The uncompressed bytes of a gzip file, counted."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        """Read an open file from its start."""
        self._limits = limits
        self._compressed = os.fstat(file.fileno()).st_size
        self._gzip = gzip.GzipFile(fileobj=file, mode="rb")
        self._count = 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; RefusedTar says why there are none, or too many."""
        try:
            data = self._gzip.read(size)
        except EOFError as error:
            raise RefusedTar("it is truncated") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            what = "CRC" if "CRC" in str(error) or "data check" in str(error) else str(error)
            raise RefusedTar(f"corrupt archive ({what})") from error
        self._count += len(data)
        self._check()
        return data

    def _check(self) -> None:
        limits = self._limits
        if self._count > limits.total_bytes:
            raise RefusedTar(_too_large(limits))
        if self._count > max(limits.ratio_from_bytes, limits.ratio * self._compressed):
            raise RefusedTar(f"unpacked, it exceeds {limits.ratio} times its own size")


def _too_large(limits: ArchiveLimits) -> str:
    return f"unpacked, it exceeds {limits.total_bytes / _GIB:.3g} GiB"


class _Tree:
    """What is unpacked so far. Links are made last: nothing is ever written through one."""

    def __init__(self, root: Path, limits: ArchiveLimits) -> None:
        self._root = root
        self._limits = limits
        self._kinds: dict[Names, Kind] = {}
        self._links: dict[Names, str] = {}
        self._count = 0

    def add(self, member: Member, stream: TarStream) -> None:
        self._count_one()
        if member.size_bytes > self._limits.total_bytes:
            raise RefusedTar(_too_large(self._limits))
        names = _safe_names(member.name, self._limits)
        if not names:
            if member.kind is not Kind.FOLDER:
                raise RefusedTar(f"unsafe path {member.name!r}")
            return
        self._make_parents(names, member)
        match member.kind:
            case Kind.FOLDER:
                self._make_folder(names, member)
            case Kind.FILE:
                self._clear(names, member)
                self._write(self._path(names), member, stream)
            case Kind.SYMBOLIC_LINK:
                self._clear(names, member)
                self._links[names] = _safe_target(names, member)
            case Kind.HARD_LINK:
                self._link(names, member)
        self._kinds[names] = member.kind

    def make_links(self) -> None:
        """Make the symbolic links, then see for each where it really leads."""
        for names, target in self._links.items():
            self._path(names).symlink_to(target)
        root = self._root.resolve(strict=True)
        for names, target in self._links.items():
            try:
                inside = self._path(names).resolve(strict=True).is_relative_to(root)
            except (OSError, RuntimeError) as error:
                raise RefusedTar(f"{'/'.join(names)!r} links to nothing, {target!r}") from error
            if not inside:
                raise RefusedTar(f"unsafe path: {'/'.join(names)!r} links outside, {target!r}")

    def _path(self, names: Names) -> Path:
        return self._root.joinpath(*names)

    def _make_parents(self, names: Names, member: Member) -> None:
        for depth in range(1, len(names)):
            self._make_folder(names[:depth], member)

    def _make_folder(self, names: Names, member: Member) -> None:
        kind = self._kinds.get(names)
        if kind is Kind.FOLDER:
            return
        if kind is not None:
            raise RefusedTar(f"unsafe path {member.name!r}: it leads through a file or a link")
        try:
            self._path(names).mkdir()
        except FileExistsError as error:
            raise RefusedTar(f"{member.name!r} differs in case only from another name") from error
        self._kinds[names] = Kind.FOLDER
        self._count_one()

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self._limits.members:
            raise RefusedTar(f"it has more than {self._limits.members} members")

    def _clear(self, names: Names, member: Member) -> None:
        """Let a later member take the place of an earlier one of its name, as tar does."""
        kind = self._kinds.get(names)
        if kind is Kind.FOLDER:
            raise RefusedTar(f"{member.name!r} is both a folder and a file")
        if kind is Kind.SYMBOLIC_LINK:
            del self._links[names]
        elif kind is not None:
            self._path(names).unlink()

    def _write(self, path: Path, member: Member, stream: TarStream) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o755 if member.is_executable else 0o644)
        except FileExistsError as error:
            raise RefusedTar(f"{member.name!r} differs in case only from another name") from error
        with os.fdopen(descriptor, "wb") as file:
            for piece in stream.content():
                file.write(piece)
        if 0 < member.modified_s < _LATEST_S:
            os.utime(path, (member.modified_s, member.modified_s))

    def _link(self, names: Names, member: Member) -> None:
        target = _safe_names(member.target, self._limits)
        if self._kinds.get(target) not in (Kind.FILE, Kind.HARD_LINK) or target == names:
            raise RefusedTar(
                f"unsafe path: {member.name!r} links to {member.target!r}, no earlier file of it"
            )
        self._clear(names, member)
        self._path(names).hardlink_to(self._path(target))


def refuse_unsafe(member: Member, limits: ArchiveLimits) -> None:
    """Refuse a member whose name or link leads outside, without unpacking it."""
    names = _safe_names(member.name, limits)
    if member.kind is Kind.SYMBOLIC_LINK:
        _safe_target(names, member)
    elif member.kind is Kind.HARD_LINK:
        _safe_names(member.target, limits)


def _safe_names(name: str, limits: ArchiveLimits) -> Names:
    """Return the names of a path inside; the root itself has none."""
    if name.startswith("/"):
        raise RefusedTar(f"unsafe path {name!r}: it is absolute")
    names = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in names or "\0" in name:
        raise RefusedTar(f"unsafe path {name!r}")
    sizes = [len(os.fsencode(part)) for part in names]
    if len(names) > limits.depth:
        raise RefusedTar(f"{name[:80]!r}… is more than {limits.depth} folders deep")
    if max(sizes, default=0) > _NAME_BYTES or sum(sizes) + len(sizes) > limits.name_bytes:
        raise RefusedTar(f"{name[:80]!r}… is too long a name")
    return names


def _safe_target(names: Names, member: Member) -> str:
    """Return where a symbolic link points, if that is inside by the look of it."""
    target = member.target
    place = list(names[:-1])
    for part in target.split("/"):
        if target.startswith("/") or (part == ".." and not place) or "\0" in part:
            raise RefusedTar(f"unsafe path: {member.name!r} links outside, {target!r}")
        if part == "..":
            place.pop()
        elif part not in ("", "."):
            place.append(part)
    if not target:
        raise RefusedTar(f"unsafe path: {member.name!r} links to nothing")
    return target
