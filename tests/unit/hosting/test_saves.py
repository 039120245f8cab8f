"""When a save is whole."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.hosting.saves import Saves
from sagelet.supervision.folder_events import Changed


@pytest.fixture
async def saves() -> AsyncIterator[Saves]:
    saves = Saves()
    yield saves
    saves.close()


def saved(*paths: Path) -> Changed:
    return Changed(saved=frozenset(paths))


async def gathered(saves: Saves) -> tuple[set[Path], float]:
    """Return the next save, and how many seconds it took."""
    begun = time.monotonic()
    return await asyncio.wait_for(saves.next(), 5), time.monotonic() - begun


async def test_one_file_of_code_is_taken_nearly_at_once(saves: Saves, tmp_path: Path) -> None:
    saves.tell(saved(tmp_path / "a.py"))
    paths, took_s = await gathered(saves)
    assert paths == {tmp_path / "a.py"}
    assert took_s < 0.02


async def test_what_is_saved_together_is_one_save(tmp_path: Path) -> None:
    saves = Saves(together_s=0.3)
    files = [tmp_path / f"{number}.py" for number in range(20)]

    async def save_all() -> None:
        saves.tell(saved(*files[:2]))
        for file in files[2:]:
            await asyncio.sleep(0.001)
            saves.tell(saved(file))

    saving = asyncio.create_task(save_all())
    paths, _ = await gathered(saves)
    await saving
    assert paths == set(files)


async def test_a_file_that_is_being_written_counts_when_it_is_closed(
    saves: Saves, tmp_path: Path
) -> None:
    weights = tmp_path / "model.pt"
    saves.tell(Changed(unfinished=frozenset({weights})))
    saves.tell(saved(weights))
    paths, took_s = await gathered(saves)
    assert paths == {weights}
    assert took_s < 0.09


async def test_a_file_that_stays_open_counts_when_nobody_writes_to_it(
    saves: Saves, tmp_path: Path
) -> None:
    weights = tmp_path / "model.pt"
    told = time.monotonic()
    saves.tell(Changed(unfinished=frozenset({weights})))
    await asyncio.sleep(0.05)
    saves.tell(Changed(unfinished=frozenset({weights})))
    paths, _ = await gathered(saves)
    assert paths == {weights}
    assert time.monotonic() - told > 0.14


async def test_a_file_that_is_written_to_for_ever_holds_up_no_other(
    saves: Saves, tmp_path: Path
) -> None:
    saves.tell(Changed(unfinished=frozenset({tmp_path / "requests.log"})))
    saves.tell(saved(tmp_path / "a.py"))
    assert (await gathered(saves))[0] == {tmp_path / "a.py"}


@pytest.mark.parametrize("is_worktree", [False, True])
async def test_what_git_writes_is_whole_when_git_is_done(
    saves: Saves, tmp_path: Path, is_worktree: bool
) -> None:
    git = tmp_path / ".git"
    if is_worktree:
        git.write_text("gitdir: main/worktrees/w\n")
        git = tmp_path / "main/worktrees/w"
    git.mkdir(parents=True)
    lock = git / "index.lock"
    lock.touch()
    (tmp_path / "code").mkdir()
    saves.tell(saved(tmp_path / "code/a.py"))
    save = asyncio.create_task(saves.next())
    await asyncio.wait({save}, timeout=0.06)
    assert not save.done()
    saves.tell(saved(tmp_path / "code/b.py"))
    lock.unlink()
    assert await asyncio.wait_for(save, 5) == {tmp_path / "code/a.py", tmp_path / "code/b.py"}


async def test_a_lock_that_a_killed_git_left_is_passed_over(saves: Saves, tmp_path: Path) -> None:
    lock = tmp_path / ".git" / "index.lock"
    lock.parent.mkdir()
    lock.touch()
    os.utime(lock, (1, 1))
    saves.tell(saved(tmp_path / "a.py"))
    assert (await gathered(saves))[0] == {tmp_path / "a.py"}
