"""Whether a model is likely to fit."""

from __future__ import annotations

from pathlib import Path

from sagelet.hosting.admission import free_bytes, shortage

MB = 2**20


def test_a_model_that_fits_is_not_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(b"x" * MB)
    assert shortage(tmp_path, 2, lambda: 100 * MB) == ""


def test_a_model_that_may_not_fit_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(b"x" * MB)
    assert shortage(tmp_path, 4, lambda: 100 * MB) == (
        "memory may run out: 4 workers with 1 MB of model files each, and 100 MB are free"
    )


def test_this_machine_has_memory() -> None:
    assert free_bytes() > MB
