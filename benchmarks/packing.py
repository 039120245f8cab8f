"""A gigabyte of weights as model.tar.gz: ours beside Python's own tarfile."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring import paired, seconds
from sagelet.artifacts.packing import pack

GIGABYTE = 10**9
ROUNDS = 3
_PIECE = 2**24


@dataclass(frozen=True)
class PackingTimes:
    """Medians in seconds, their ratio, and the archives' sizes in bytes."""

    ours_s: float
    tarfile_s: float
    ratio: float
    ours_bytes: int
    tarfile_bytes: int


def measure(size_bytes: int = GIGABYTE, rounds: int = ROUNDS) -> PackingTimes:
    """Pack float32 weights both ways in turn, and see that the same comes out of both.

    Raises:
        ValueError: it does not.
    """
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
        root = Path(folder, "model")
        root.mkdir()
        _weights(root / "model.pth", size_bytes)
        ours, theirs = Path(folder, "ours.tar.gz"), Path(folder, "tarfile.tar.gz")
        times = paired(
            lambda: seconds(lambda: pack(root, ours)),
            lambda: seconds(lambda: _by_tarfile(root, theirs)),
            rounds,
        )
        if _unpacked(ours) != _unpacked(theirs):
            raise ValueError("the archives do not hold the same")
        return PackingTimes(*times, ours.stat().st_size, theirs.stat().st_size)


def _weights(path: Path, size_bytes: int) -> None:
    """Write float32 numbers as trained weights have them: around nothing, with no repeats."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        left = size_bytes
        while left:
            piece = min(left, _PIECE)
            numbers = random.standard_normal(piece // 4 + 1, dtype=np.float32) * 0.02
            file.write(numbers.tobytes()[:piece])
            left -= piece


def _by_tarfile(root: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(root.iterdir()):
            tar.add(path, arcname=path.name)


def _unpacked(archive: Path) -> dict[str, str]:
    """Return the digest of each file in an archive."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                digest = hashlib.sha256()
                while piece := file.read(_PIECE):
                    digest.update(piece)
                found[member.name] = digest.hexdigest()
    return found
