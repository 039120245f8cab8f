"""The numbers of what an endpoint has served."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
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


async def test_a_number_is_kept_though_who_kept_it_was_cancelled_before_a_thread_was_free(
    tmp_path: Path,
) -> None:
    loop, is_free = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, is_free.wait)
    keeping = asyncio.create_task(Generations(tmp_path).keep(7))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.sleep(0)
    is_free.set()
    await busy
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert (tmp_path / "generation").read_text() == "7\n"
