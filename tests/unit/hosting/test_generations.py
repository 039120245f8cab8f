"""The numbers of what an endpoint has served."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.hosting.generations import Generations


async def test_numbers_go_on_from_the_last_that_went_live(tmp_path: Path) -> None:
    first = Generations(tmp_path / "endpoint")
    await first.remember()
    assert [first.next(), first.next(), first.next()] == [1, 2, 3]
    await first.keep(2)
    second = Generations(tmp_path / "endpoint")
    await second.remember()
    assert second.next() == 3


async def test_to_remember_again_takes_no_number_back(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    generations.next()
    await generations.remember()
    assert generations.next() == 2


async def test_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "generation").write_bytes(b"\xff")
    generations = Generations(tmp_path)
    await generations.remember()
    assert generations.next() == 1


async def test_a_disk_that_takes_nothing_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    await Generations(tmp_path / "file").keep(1)
    assert "is not kept" in caplog.text
