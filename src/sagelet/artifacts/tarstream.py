"""A tar, read as if an enemy had written it: block by block, with caps, and never guessing.

The standard library's reader is made to be forgiving: it takes a damaged header for the end, holds
long names in memory whatever their length, and leaves what follows the end unread. This one refuses
and reads to the end. It knows ustar, GNU and pax; `TarInfo.frombuf` reads the header's fields.
"""

from __future__ import annotations

import enum
import tarfile
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from sagelet.artifacts.disk import CHUNK_BYTES

_BLOCK = tarfile.BLOCKSIZE
_EXTENSION_BYTES = 1 << 20
_RENAMING = {"path", "linkpath", "size"}


class RefusedTar(Exception):
    """Why a tar is refused; `archives` makes it an UnsafeArchive with the archive's name."""


class Kind(enum.Enum):
    """What a member is; anything else is refused."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    SYMBOLIC_LINK = enum.auto()
    HARD_LINK = enum.auto()


class Member(NamedTuple):
    """One member as the archive names it; nothing of it has been judged yet."""

    name: str
    kind: Kind
    size_bytes: int
    is_executable: bool
    modified_s: int
    target: str


class Source(Protocol):
    """The uncompressed bytes; `read` returns fewer than asked for at the end only."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.FOLDER,
    tarfile.SYMTYPE: Kind.SYMBOLIC_LINK,
    tarfile.LNKTYPE: Kind.HARD_LINK,
}
_REFUSED = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a FIFO",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


class TarStream:
    """Reads members in turn; a file's content must be taken, or is skipped, before the next."""

    def __init__(self, source: Source) -> None:
        """Read from the start of a tar."""
        self._source = source
        self._content_left = 0
        self._padding = 0
        self._seen_any = False

    def members(self) -> Iterator[Member]:
        """Yield every member up to the end of the archive."""
        overrides: dict[str, str] = {}
        while (info := self._header()) is not None:
            if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
                key = "path" if info.type == tarfile.GNUTYPE_LONGNAME else "linkpath"
                overrides[key] = _text(self._extension(info).split(b"\0")[0])
            elif info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                overrides.update(_pax_records(self._extension(info)))
            elif info.type == tarfile.XGLTYPE:
                if _RENAMING & _pax_records(self._extension(info)).keys():
                    raise RefusedTar("a global header renames its members")
            else:
                yield self._member(info, overrides)
                overrides = {}
                self._skip()

    def content(self) -> Iterator[bytes]:
        """Yield the content of the member that was just returned, in pieces."""
        while self._content_left:
            piece = self._exactly(min(self._content_left, CHUNK_BYTES))
            self._content_left -= len(piece)
            yield piece

    def drain(self) -> None:
        """Read whatever follows the end of the archive."""
        while self._source.read(CHUNK_BYTES):
            pass

    def _header(self) -> tarfile.TarInfo | None:
        """Return the next header; None at the end."""
        block = self._source.read(_BLOCK)
        if not block and not self._seen_any:
            raise RefusedTar("there is nothing in it")
        if not block.strip(b"\0"):
            return None
        if len(block) < _BLOCK:
            raise RefusedTar("it is truncated")
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            what = "a damaged header" if self._seen_any else "it is gzipped, but not a tar"
            raise RefusedTar(what) from error
        self._seen_any = True
        if info.size < 0:
            raise RefusedTar("a member of negative size")
        return info

    def _member(self, info: tarfile.TarInfo, overrides: dict[str, str]) -> Member:
        name = overrides.get("path", info.name)
        if info.type in _REFUSED or any(key.startswith("GNU.sparse") for key in overrides):
            raise RefusedTar(f"{name!r} is {_REFUSED.get(info.type, 'a sparse file')}")
        if info.type not in _KINDS:
            raise RefusedTar(f"{name!r} is of the unknown type {info.type!r}")
        kind = _KINDS[info.type]
        size = _size(overrides.get("size"), info.size) if kind is Kind.FILE else 0
        self._expect(size)
        return Member(
            name=name,
            kind=kind,
            size_bytes=size,
            is_executable=bool(info.mode & 0o111),
            modified_s=int(info.mtime),
            target=overrides.get("linkpath", info.linkname),
        )

    def _extension(self, info: tarfile.TarInfo) -> bytes:
        if info.size > _EXTENSION_BYTES:
            raise RefusedTar(f"a header of {info.size} bytes")
        self._expect(info.size)
        data = self._exactly(info.size)
        self._content_left = 0
        self._skip()
        return data

    def _expect(self, size: int) -> None:
        self._content_left = size
        self._padding = -size % _BLOCK

    def _skip(self) -> None:
        for _ in self.content():
            pass
        self._exactly(self._padding)
        self._padding = 0

    def _exactly(self, size: int) -> bytes:
        data = self._source.read(size) if size else b""
        if len(data) < size:
            raise RefusedTar("it is truncated")
        return data


def _pax_records(data: bytes) -> dict[str, str]:
    """Read the records of a pax header: `<length> <key>=<value>` and a newline."""
    records = {}
    while data:
        digits, _, _ = data.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 10 else 0
        record = data[len(digits) + 1 : length]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if length > len(data) or not record.endswith(b"\n") or not equals:
            raise RefusedTar("a damaged pax header")
        records[_text(key)] = _text(value)
        data = data[length:]
    return records


def _size(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise RefusedTar("a damaged pax header")
    return int(text)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
