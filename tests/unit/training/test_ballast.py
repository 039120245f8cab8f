"""Space that is held ready for a job's last words."""

from __future__ import annotations

from pathlib import Path

from sagelet.training.ballast import BALLAST_BYTES, Ballast


def test_ballast_takes_space_until_it_is_dropped(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast")
    ballast.take()
    assert (tmp_path / "ballast").stat().st_size == BALLAST_BYTES
    ballast.drop()
    ballast.drop()
    assert list(tmp_path.iterdir()) == []
