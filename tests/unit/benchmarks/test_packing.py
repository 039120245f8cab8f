from __future__ import annotations

from benchmarks import packing


def test_both_archives_hold_the_same() -> None:
    found = packing.measure(size_bytes=200_001, rounds=1)
    assert 0 < found.ours_bytes <= 1.1 * found.tarfile_bytes
    assert found.ratio > 0
