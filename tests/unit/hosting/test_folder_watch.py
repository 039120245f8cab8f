"""The edits of a folder, without workers."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from sagelet.hosting.fingerprints import EMPTY, Fingerprints
from sagelet.hosting.folder_watch import Changes, FolderWatch, Outcome
from sagelet.supervision.watching import Watcher


class Attempts:
    """Serves whatever it is told of, and remembers it."""

    def __init__(self) -> None:
        self.made: list[Changes] = []
        self._next: asyncio.Queue[Changes] = asyncio.Queue()

    async def serve(self, changes: Changes, _superseded: asyncio.Event) -> Outcome:
        self.made.append(changes)
        self._next.put_nowait(changes)
        return Outcome.SERVED

    async def next(self) -> Changes:
        return await asyncio.wait_for(self._next.get(), 5)

    async def reach(self, files: Collection[Path]) -> None:
        """Wait until all of these have been among the changes since the last time."""
        missing = set(files)
        while missing:
            missing -= set(await self.next())


@pytest.fixture
def attempts() -> Attempts:
    return Attempts()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "inference.py"
    file.write_text("x = 1\n")
    return file


@pytest.fixture
async def watched(tmp_path: Path, file: Path, attempts: Attempts) -> AsyncIterator[Path]:
    """A folder that is watched, from now on."""
    watcher = Watcher({})
    watch = FolderWatch(
        Fingerprints(tmp_path), attempts.serve, on_note=lambda _text: None, watcher=watcher
    )
    (tmp_path / "first.txt").write_text("1")
    await attempts.next()
    attempts.made.clear()
    yield tmp_path
    await watch.close()
    await watcher.close()


async def test_a_save_that_empties_the_file_first_is_one_edit(
    watched: Path, file: Path, attempts: Attempts
) -> None:
    file.write_text("")
    await asyncio.sleep(0.06)  # longer than a watch gathers events for
    file.write_text("x = 2\n")
    changes = await attempts.next()
    assert set(changes) == {file}
    assert changes[file] != EMPTY


async def test_a_file_that_stays_empty_is_an_edit_too(
    watched: Path, file: Path, attempts: Attempts
) -> None:
    file.write_text("")
    assert await attempts.next() == {file: EMPTY}


async def test_a_save_that_moves_the_file_away_first_is_one_edit(
    watched: Path, file: Path, attempts: Attempts
) -> None:
    file.rename(file.with_name("inference.py~"))
    await asyncio.sleep(0.03)
    file.write_text("x = 2\n")
    changes = await attempts.next()
    assert set(changes) == {file}
    assert changes[file] is not None


async def test_a_file_that_was_removed_is_an_edit(
    watched: Path, file: Path, attempts: Attempts
) -> None:
    file.unlink()
    assert await attempts.next() == {file: None}


async def test_a_save_by_rename_is_one_edit(watched: Path, file: Path, attempts: Attempts) -> None:
    for number in range(3):
        new = watched / "inference.py.new~"
        new.write_text(f"x = {number + 2}\n")
        new.replace(file)
        assert set(await attempts.next()) == {file}
    assert len(attempts.made) == 3


async def test_what_is_touched_or_written_as_it_was_is_no_edit(
    watched: Path, file: Path, attempts: Attempts
) -> None:
    file.touch()
    file.write_text("x = 1\n")
    await asyncio.sleep(0.15)
    other = watched / "other.py"
    other.write_text("y = 1\n")
    assert set(await attempts.next()) == {other}
    assert len(attempts.made) == 1


async def test_a_checkout_of_many_files_is_one_edit(watched: Path, attempts: Attempts) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(watched), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    files = [watched / f"module_{number}.py" for number in range(200)]
    git("init", "-q", "-b", "old")
    for file in files:
        file.write_text("x = 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "old")
    await attempts.reach(files)
    git("checkout", "-q", "-b", "new")
    for file in files:
        file.write_text("x = 2\n")
    git("commit", "-q", "-a", "-m", "new")
    await attempts.reach(files)
    await asyncio.to_thread(git, "checkout", "-q", "old")
    changes = await attempts.next()
    assert set(changes) == set(files)


async def test_what_was_saved_before_the_watch_stood_is_found(
    tmp_path: Path, file: Path, attempts: Attempts
) -> None:
    prints = Fingerprints(tmp_path)
    file.write_text("x = 2\n")
    watcher = Watcher({})
    watch = FolderWatch(prints, attempts.serve, on_note=lambda _text: None, watcher=watcher)
    assert set(await attempts.next()) == {file}
    await watch.close()
    await watcher.close()
