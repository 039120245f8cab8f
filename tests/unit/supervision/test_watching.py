"""Watched folders, and what they hold."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sagelet.supervision.watching import content_hashes, watch

DEADLINE_S = 10.0


class Watcher:
    """Collects what a watch tells."""

    def __init__(self, folders: list[Path]) -> None:
        self._stop = asyncio.Event()
        self._told: asyncio.Queue[frozenset[Path]] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(folders))

    async def _run(self, folders: list[Path]) -> None:
        async for changed in watch(folders, stop=self._stop):
            self._told.put_nowait(changed)

    async def tells(self, path: Path, after: Callable[[], object]) -> set[Path]:
        """Do something, again and again until the watch stands, and wait until a path is told.

        Returns all that was told until then.
        """
        told: set[Path] = set()
        async with asyncio.timeout(DEADLINE_S):
            while path not in told:
                after()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.6):
                        while path not in told:
                            told |= await self._told.get()
        return told

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.wait_for(self._task, DEADLINE_S)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("1")
    return tmp_path


@pytest.fixture
async def watcher(root: Path) -> AsyncIterator[Watcher]:
    watcher = Watcher([root / "code", root / "later"])
    await watcher.tells(root / "code" / "warm", (root / "code" / "warm").touch)
    yield watcher
    await watcher.stop()


async def test_a_saved_file_is_told(root: Path, watcher: Watcher) -> None:
    path = root / "code" / "inference.py"
    await watcher.tells(path, lambda: path.write_text("2"))


async def test_a_file_that_is_replaced_by_a_rename_is_told(root: Path, watcher: Watcher) -> None:
    path = root / "code" / "inference.py"

    def save() -> None:
        (root / "code" / "new").write_text("2")
        (root / "code" / "new").replace(path)

    await watcher.tells(path, save)


async def test_a_new_folder_is_watched(root: Path, watcher: Watcher) -> None:
    folder = root / "code" / "package"
    folder.mkdir()
    await watcher.tells(folder / "module.py", lambda: (folder / "module.py").write_text("x"))


async def test_a_file_that_is_linked_to_is_told_by_its_link(root: Path) -> None:
    target = root / "shared.py"
    target.write_text("1")
    link = root / "code" / "shared.py"
    link.symlink_to(target)
    watcher = Watcher([root / "code"])

    await watcher.tells(link, lambda: target.write_text("2"))

    def replace() -> None:
        (root / "new").write_text("3")
        (root / "new").replace(target)

    await watcher.tells(link, replace)

    def remake() -> None:
        target.unlink()
        target.write_text("again")

    await watcher.tells(link, remake)
    await watcher.tells(link, lambda: target.write_text("4"))
    await watcher.stop()


async def test_a_link_that_appears_is_followed(root: Path, watcher: Watcher) -> None:
    target = root / "target.py"
    target.write_text("1")
    link = root / "code" / "link.py"
    link.symlink_to(target)
    await watcher.tells(link, lambda: target.write_text("2"))


async def test_a_folder_that_is_linked_to_is_watched(root: Path) -> None:
    (root / "elsewhere").mkdir()
    (root / "code" / "lib").symlink_to(root / "elsewhere")
    watcher = Watcher([root / "code"])
    target = root / "elsewhere" / "module.py"

    await watcher.tells(root / "code" / "lib" / "module.py", lambda: target.write_text("x"))
    await watcher.stop()


async def test_a_folder_that_comes_later_is_waited_for(root: Path, watcher: Watcher) -> None:
    (root / "later").mkdir()
    await watcher.tells(root / "later" / "x.py", (root / "later" / "x.py").touch)


async def test_a_folder_may_go_and_come_back(root: Path, watcher: Watcher) -> None:
    (root / "code").rename(root / "old")
    (root / "code").mkdir()
    await watcher.tells(root / "code" / "x.py", (root / "code" / "x.py").touch)


async def test_a_watch_of_nothing_that_is_there_ends_when_it_is_told_to(tmp_path: Path) -> None:
    watcher = Watcher([tmp_path / "nowhere"])
    await watcher.stop()


@pytest.mark.parametrize(
    "name", [".inference.py.swp", "inference.py~", "__pycache__/i.pyc", ".#lock", "4913"]
)
async def test_what_editors_and_python_write_is_not_told(
    root: Path, watcher: Watcher, name: str
) -> None:
    path = root / "code" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    after = root / "code" / "after.py"

    told = await watcher.tells(after, after.touch)

    assert path not in told


def test_content_hashes_follow_links_and_pass_over_noise(root: Path) -> None:
    code = root / "code"
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "x.pyc").touch()
    (code / ".git").mkdir()
    (code / ".git" / "HEAD").touch()
    (code / "x.py~").touch()
    (code / "package").mkdir()
    (code / "package" / "__init__.py").write_text("1")
    (root / "outside").mkdir()
    (root / "outside" / "y.py").write_text("1")
    (code / "linked").symlink_to(root / "outside")
    (code / "loop").symlink_to(code)
    (code / "gone.py").symlink_to(root / "gone.py")
    os.mkfifo(code / "pipe")

    hashes = content_hashes(code)

    assert sorted(hashes) == ["inference.py", "linked/y.py", "package/__init__.py"]
    assert len(set(hashes.values())) == 1


def test_content_hashes_change_with_the_content_only(root: Path) -> None:
    before = content_hashes(root / "code")
    os.utime(root / "code" / "inference.py")
    assert content_hashes(root / "code") == before
    (root / "code" / "inference.py").write_text("2")
    assert content_hashes(root / "code") != before


def test_a_folder_that_is_not_there_has_no_content(tmp_path: Path) -> None:
    assert content_hashes(tmp_path / "nowhere") == {}
