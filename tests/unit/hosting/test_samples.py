"""Sample requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.hosting.samples import Sample


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("sample.json", "application/json"),
        ("sample.CSV", "text/csv"),
        ("sample.npy", "application/x-npy"),
        ("sample.npz", "application/x-npz"),
        ("sample.txt", "text/plain"),
        ("sample.png", "image/png"),
        ("sample", "application/octet-stream"),
    ],
)
def test_a_samples_type_is_that_of_its_suffix(tmp_path: Path, name: str, content_type: str) -> None:
    (tmp_path / name).write_bytes(b"\x00[1]")
    sample = Sample.read(tmp_path / name)
    assert sample == Sample(b"\x00[1]", content_type, "application/json")


def test_a_sample_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Sample.read(tmp_path / "none.json")
