"""The checksums that S3 knows, as hashes that are fed piece by piece.

CRC-32, SHA-1 and SHA-256 are the standard library's. CRC-32C and CRC-64/NVME are computed here, at
50 to 80 MB/s: see `_Crc`.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, reduce
from operator import xor
from typing import Protocol


class Hasher(Protocol):
    """What `hashlib` offers and we use."""

    def update(self, data: bytes, /) -> None:
        """Take the next piece."""
        ...

    def digest(self) -> bytes:
        """Return the hash of all pieces so far."""
        ...


class _Crc32:
    """CRC-32 as S3 writes it: four bytes, big-endian."""

    def __init__(self) -> None:
        self._crc = 0

    def update(self, data: bytes, /) -> None:
        self._crc = zlib.crc32(data, self._crc)

    def digest(self) -> bytes:
        return self._crc.to_bytes(4, "big")


_LANES = 1024
_SHORTEST = 64  # bytes of a stretch below which joining costs more than the lanes save


class _Crc:
    """A reflected CRC, computed on 1024 stretches of the data at once.

    One step takes one byte of each stretch: the remainders lie in planes (the first byte of all
    1024, the second and so on), so that a step is a few `bytes.translate` and XORs of 1024 bytes.
    The stretches' remainders are then joined by moving each past the length of the next.
    """

    def __init__(self, polynomial: int, width: int) -> None:
        self._polynomial = polynomial
        self._bytes = width // 8
        self._mask = (1 << width) - 1
        self._crc = self._mask

    def update(self, data: bytes, /) -> None:
        while len(data) >= _SHORTEST * _LANES:
            length = 1 << (len(data) // _LANES).bit_length() - 1  # few lengths, so few tables
            self._take_lanes(data, length)
            data = data[length * _LANES :]
        table = _table(self._polynomial)
        crc = self._crc
        for byte in data:
            crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
        self._crc = crc

    def digest(self) -> bytes:
        return (self._crc ^ self._mask).to_bytes(self._bytes, "big")

    def _take_lanes(self, data: bytes, length: int) -> None:
        tables = _planes(self._polynomial, self._bytes)
        planes = [0] * self._bytes
        end = length * _LANES
        for at in range(length):
            column = int.from_bytes(data[at:end:length], "little") ^ planes[0]
            index = column.to_bytes(_LANES, "little")
            mixed = [int.from_bytes(index.translate(table), "little") for table in tables]
            planes = [a ^ b for a, b in zip([*planes[1:], 0], mixed, strict=True)]
        moved = _shift(self._polynomial, self._bytes, length)
        crc = self._crc
        for lane in zip(*(plane.to_bytes(_LANES, "little") for plane in planes), strict=True):
            joined = int.from_bytes(bytes(lane), "little")
            for place, table in enumerate(moved):
                joined ^= table[(crc >> (8 * place)) & 0xFF]
            crc = joined
        self._crc = crc


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    """Return what each byte does to a remainder."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (polynomial if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


@cache
def _planes(polynomial: int, width: int) -> tuple[bytes, ...]:
    """Return `_table` cut into planes: for `bytes.translate`."""
    table = _table(polynomial)
    return tuple(bytes((crc >> (8 * place)) & 0xFF for crc in table) for place in range(width))


@cache
def _shift(polynomial: int, width: int, length: int) -> tuple[tuple[int, ...], ...]:
    """Return tables that move a remainder past `length` zero bytes."""
    table = _table(polynomial)
    bits = []
    for bit in range(8 * width):
        crc = 1 << bit
        for _ in range(length):
            crc = table[crc & 0xFF] ^ (crc >> 8)
        bits.append(crc)
    return tuple(
        tuple(
            reduce(xor, (bits[8 * place + bit] for bit in range(8) if byte >> bit & 1), 0)
            for byte in range(256)
        )
        for place in range(width)
    )


MD5 = "md5"

ALGORITHMS: dict[str, Callable[[], Hasher]] = {
    "crc32": _Crc32,
    "crc32c": lambda: _Crc(0x82F63B78, 32),
    "crc64nvme": lambda: _Crc(0x9A6C9329AC4BC9B5, 64),
    MD5: lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}
"""S3's names for its checksums, in lower case, and what computes them. (S3 also knows xxHash.)"""


class Digests:
    """Several hashes of one body."""

    def __init__(self, algorithms: Iterable[str] = (MD5,)) -> None:
        """Start at nothing; a name that is not in ALGORITHMS is a KeyError."""
        self._hashers = {name: ALGORITHMS[name]() for name in algorithms}

    def update(self, data: bytes) -> None:
        """Take the next piece."""
        for hasher in self._hashers.values():
            hasher.update(data)

    @property
    def etag(self) -> str:
        """The MD5 in hex: S3's ETag of a body that was sent in one piece."""
        return self.raw(MD5).hex()

    def raw(self, algorithm: str) -> bytes:
        """Return a digest's bytes."""
        return self._hashers[algorithm].digest()

    def base64(self, algorithm: str) -> str:
        """Return a digest as S3's headers write it."""
        return base64.b64encode(self.raw(algorithm)).decode()


def checksum_of_parts(algorithm: str, values: Sequence[str]) -> str:
    """Return S3's COMPOSITE checksum: of the parts' checksums, and their number."""
    hasher = ALGORITHMS[algorithm]()
    for value in values:
        hasher.update(base64.b64decode(value))
    return f"{base64.b64encode(hasher.digest()).decode()}-{len(values)}"


def etag_of_parts(etags: Sequence[str]) -> str:
    """Return S3's ETag of a multipart upload: the MD5 of the parts' MD5s, and their number."""
    joined = hashlib.md5(b"".join(map(bytes.fromhex, etags)), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(etags)}"
