"""What is in a model's archive or folder, listed without unpacking or unpickling anything."""

from __future__ import annotations

import io
import os
import pickletools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.sniffing import SNIFFED_BYTES, check_is_gzip
from sagelet.artifacts.tarstream import Kind, RefusedTar, TarStream
from sagelet.artifacts.unpacking import DEFAULT_LIMITS, MeteredGzip, refuse_unsafe
from sagelet.errors import UnreadableSource

ARCHIVES = (".tar.gz", ".tgz")
WEIGHTS = (".pt", ".pth", ".bin", ".ckpt")

_HEAD_BYTES = 16 << 20
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_LEGACY_PICKLES = 3  # a magic number, a protocol, the machine; then the object
_PREFIXED = re.compile(r"module\.[A-Za-z_]\w*(?:\.\w+)*")
_PLAIN = re.compile(r"(?!module\.)[A-Za-z_]\w*(?:\.\w+)*\.(?:weight|bias)")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in an archive or a folder, and the texts in it, if torch.save wrote it."""

    name: str
    size_bytes: int
    strings: frozenset[str] = frozenset()

    @property
    def is_prefixed(self) -> bool:
        """Whether all that looks like a parameter begins with `module.`."""
        prefixed = any(_PREFIXED.fullmatch(each) for each in self.strings)
        return prefixed and not any(_PLAIN.fullmatch(each) for each in self.strings)


@dataclass(frozen=True, slots=True)
class Contents:
    """A model's archive, or its folder. `refused` says why the archive would not be unpacked."""

    path: Path
    files: tuple[Stored, ...] = ()
    refused: str = ""
    is_archive: bool = True


def read_archive(path: Path) -> Contents:
    """List a `model.tar.gz`; it is read to its end, for the checksum stands there.

    Raises:
        UnreadableSource: it cannot be opened.
    """
    files: list[Stored] = []
    try:
        with path.open("rb") as file:
            check_is_gzip(file.read(SNIFFED_BYTES))
            file.seek(0)
            stream = TarStream(MeteredGzip(file, DEFAULT_LIMITS))
            files += _listed(stream)
            stream.drain()
    except RefusedTar as error:
        return Contents(path, tuple(files), refused=str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableSource(path=str(path), reason=reason) from error
    return Contents(path, tuple(files))


def read_folder(path: Path) -> Contents:
    """List a model's folder."""
    files = []
    for root, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(root, name)
            if file.is_file():
                files.append(_stored(file, file.relative_to(path).as_posix()))
    return Contents(path, tuple(files), is_archive=False)


def _stored(file: Path, name: str) -> Stored:
    strings: frozenset[str] = frozenset()
    if name.endswith(WEIGHTS):
        with file.open("rb") as opened:
            strings = strings_of(opened.read(_HEAD_BYTES))
    return Stored(name, file.stat().st_size, strings)


def _listed(stream: TarStream) -> Iterator[Stored]:
    for member in stream.members():
        refuse_unsafe(member, DEFAULT_LIMITS)
        if member.kind is not Kind.FILE:
            continue
        name = member.name.removeprefix("./")
        strings: frozenset[str] = frozenset()
        if name.endswith(WEIGHTS):
            strings = strings_of(_head(stream))
        yield Stored(name, member.size_bytes, strings)


def _head(stream: TarStream) -> bytes:
    head = bytearray()
    for piece in stream.content():
        if len(head) < _HEAD_BYTES:
            head += piece
    return bytes(head[:_HEAD_BYTES])


def strings_of(head: bytes) -> frozenset[str]:
    """Return the texts in what torch.save wrote, by its first bytes; nothing is unpickled.

    Opcodes are read one by one, and only those that are texts are looked at.
    """
    if head.startswith(_ZIP):
        start = _first_entry(head)
        return frozenset() if start is None else frozenset(_texts(io.BytesIO(head[start:])))
    if head.startswith(_PICKLE):
        stream = io.BytesIO(head)
        for _pickle in range(_LEGACY_PICKLES):
            for _text in _texts(stream):
                pass
        return frozenset(_texts(stream))
    return frozenset()


def _first_entry(head: bytes) -> int | None:
    """Return where the pickle begins: torch writes it first, and does not compress it."""
    if len(head) < _LOCAL_HEADER.size:
        return None
    fields = _LOCAL_HEADER.unpack_from(head)
    method, name_bytes, extra_bytes = fields[3], fields[9], fields[10]
    name = head[_LOCAL_HEADER.size : _LOCAL_HEADER.size + name_bytes]
    if method != 0 or not name.endswith(b"data.pkl"):
        return None
    return _LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)


def _texts(stream: io.BytesIO) -> Iterator[str]:
    try:
        for opcode, argument, _place in pickletools.genops(stream):
            if isinstance(argument, str) and "UNICODE" in opcode.name:
                yield argument
    except (ValueError, UnicodeDecodeError, OverflowError, MemoryError):
        return  # it is cut off, or no pickle: what was there was told
