"""Folders that are watched, by each source of events; and what counts in a folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sagelet.supervision.folder_events import Changed, FolderEvents, Root
from sagelet.supervision.folder_files import files_below
from sagelet.supervision.inotify_events import InotifyEvents
from sagelet.supervision.native_events import NativeEvents
from sagelet.supervision.polled_events import PolledEvents

DEADLINE_S = 10.0
SOURCES: dict[str, Callable[[], FolderEvents]] = {
    "inotify": InotifyEvents,
    "polled": lambda: PolledEvents(0.02),
    "native": NativeEvents,
}


class Told:
    """A watched folder, and what was told of it."""

    def __init__(self, events: FolderEvents, folder: Path) -> None:
        self._changed: asyncio.Queue[Changed] = asyncio.Queue()
        self.root = Root(folder, self._changed.put_nowait, lost=self._lost)
        self._events = events
        self.errors: list[OSError] = []

    async def start(self) -> Told:
        await self._events.add(self.root)
        if isinstance(self._events, NativeEvents):
            await self.of(self.root.folder, lambda: None)  # its watch stands a little later
        return self

    async def of(self, path: Path, change: Callable[[], object]) -> set[Path]:
        """Change something and wait until a path is told, or a folder that it is in.

        Returns all that was told until then.
        """
        change()
        told: set[Path] = set()
        async with asyncio.timeout(DEADLINE_S):
            while not told & {path, *path.parents}:
                changed = await self._changed.get()
                told |= changed.saved | changed.unfinished
        return told

    def rest(self) -> set[Path]:
        """What has been told since."""
        told: set[Path] = set()
        with contextlib.suppress(asyncio.QueueEmpty):
            while True:
                changed = self._changed.get_nowait()
                told |= changed.saved | changed.unfinished
        return told

    def _lost(self, error: OSError) -> None:
        self.errors.append(error)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("1")
    return tmp_path


@pytest.fixture(params=SOURCES)
async def events(request: pytest.FixtureRequest) -> AsyncIterator[FolderEvents]:
    events = SOURCES[request.param]()
    yield events
    await events.close()


@pytest.fixture
async def told(root: Path, events: FolderEvents) -> Told:
    return await Told(events, root / "code").start()


async def test_a_saved_file_is_told(root: Path, told: Told) -> None:
    path = root / "code" / "inference.py"
    await told.of(path, lambda: path.write_text("22"))


async def test_a_file_that_is_replaced_by_a_rename_is_told(root: Path, told: Told) -> None:
    path = root / "code" / "inference.py"

    def save() -> None:
        (root / "code" / "new").write_text("2")
        (root / "code" / "new").replace(path)

    await told.of(path, save)


async def test_a_file_that_is_removed_is_told(root: Path, told: Told) -> None:
    path = root / "code" / "inference.py"
    await told.of(path, path.unlink)


async def test_what_is_written_into_a_new_folder_is_told(root: Path, told: Told) -> None:
    folder = root / "code" / "package"

    def make() -> None:
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "module.py").write_text("x")

    await told.of(folder / "inner" / "module.py", make)
    path = folder / "inner" / "later.py"
    await told.of(path, lambda: path.write_text("x"))


async def test_a_folder_that_moved_is_told_under_its_new_name(root: Path, told: Told) -> None:
    old, new = root / "code" / "old", root / "code" / "new"
    old.mkdir()
    await told.of(old / "y.py", lambda: (old / "y.py").write_text("y"))
    await told.of(new / "y.py", lambda: old.rename(new))
    seen = await told.of(new / "x.py", lambda: (new / "x.py").write_text("x"))
    assert old / "x.py" not in seen


async def test_a_file_that_is_linked_to_is_told_by_its_link(
    root: Path, events: FolderEvents
) -> None:
    target = root / "shared.py"
    target.write_text("1")
    link = root / "code" / "shared.py"
    link.symlink_to(target)
    told = await Told(events, root / "code").start()

    await told.of(link, lambda: target.write_text("22"))

    def replace() -> None:
        (root / "new").write_text("333")
        (root / "new").replace(target)

    await told.of(link, replace)
    await told.of(link, target.unlink)
    await told.of(link, lambda: target.write_text("again"))
    await told.of(link, lambda: target.write_text("4"))


async def test_a_link_that_appears_is_followed(root: Path, told: Told) -> None:
    target = root / "target.py"
    target.write_text("1")
    link = root / "code" / "link.py"
    await told.of(link, lambda: link.symlink_to(target))
    await told.of(link, lambda: target.write_text("22"))


async def test_a_link_that_leads_elsewhere_now_is_followed_there(root: Path, told: Told) -> None:
    for version in ("1", "2"):
        (root / version).mkdir()
        (root / version / "module.py").write_text(version)
    link = root / "code" / "current"
    await told.of(link / "module.py", lambda: link.symlink_to(root / "1"))

    def switch() -> None:
        (root / "next").symlink_to(root / "2")
        (root / "next").replace(link)

    await told.of(link / "module.py", switch)
    path = root / "2" / "module.py"
    await told.of(link / "module.py", lambda: path.write_text("22"))


async def test_a_folder_that_is_linked_to_is_watched(root: Path, events: FolderEvents) -> None:
    (root / "elsewhere").mkdir()
    (root / "code" / "lib").symlink_to(root / "elsewhere")
    told = await Told(events, root / "code").start()
    target = root / "elsewhere" / "module.py"
    await told.of(root / "code" / "lib" / "module.py", lambda: target.write_text("x"))


async def test_links_in_a_circle_are_watched_once(root: Path, events: FolderEvents) -> None:
    (root / "code" / "loop").symlink_to(root / "code")
    (root / "code" / "self").symlink_to(root / "code" / "self")
    told = await Told(events, root / "code").start()
    path = root / "code" / "x.py"
    seen = await told.of(path, lambda: path.write_text("x"))
    assert root / "code" / "loop" / "x.py" not in seen


async def test_a_folder_that_comes_later_is_waited_for(root: Path, events: FolderEvents) -> None:
    later = root / "later"
    told = Told(events, later)
    await events.add(told.root)

    def make() -> None:
        later.mkdir()
        (later / "x.py").write_text("x")

    await told.of(later / "x.py", make)
    await told.of(later / "x.py", lambda: (later / "x.py").write_text("22"))


async def test_a_folder_may_go_and_come_back(root: Path, told: Told) -> None:
    code = root / "code"

    def replace() -> None:
        code.rename(root / "old")
        code.mkdir()

    await told.of(code / "inference.py", replace)
    await told.of(code / "x.py", lambda: (code / "x.py").write_text("x"))


async def test_two_may_watch_the_same_folder(root: Path, events: FolderEvents) -> None:
    first = await Told(events, root / "code").start()
    second = await Told(events, root / "code").start()
    path = root / "code" / "inference.py"
    await first.of(path, lambda: path.write_text("22"))
    await second.of(path, lambda: None)
    await events.remove(first.root)
    first.rest()
    await second.of(path, lambda: path.write_text("333"))
    assert first.rest() == set()


@pytest.mark.parametrize(
    "name", [".inference.py.swp", "inference.py~", "__pycache__/i.pyc", ".#lock", "4913"]
)
async def test_what_editors_and_python_write_is_not_told(root: Path, told: Told, name: str) -> None:
    path = root / "code" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    after = root / "code" / "after.py"
    seen = await told.of(after, lambda: after.write_text("x"))
    assert path not in seen


async def test_what_is_still_being_written_is_told_apart(root: Path) -> None:
    events = InotifyEvents()
    changes: asyncio.Queue[Changed] = asyncio.Queue()
    path = root / "code" / "weights.bin"
    await events.add(Root(root / "code", changes.put_nowait, lost=lambda error: None))
    with path.open("wb", buffering=0) as file:
        file.write(b"half")
        assert await changes.get() == Changed(unfinished=frozenset({path}))
        file.write(b"whole")
    assert await changes.get() == Changed(saved=frozenset({path}))
    await events.close()


async def test_where_more_changes_than_the_kernel_keeps_the_whole_folder_is_told(
    root: Path,
) -> None:
    events = InotifyEvents()
    told = await Told(events, root / "code").start()
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    path = root / "code" / "often.py"
    for _ in range(most // 2):  # nothing is read meanwhile: this is the event loop
        path.touch()
        path.unlink()
    seen = await told.of(root / "code", lambda: None)
    assert root / "code" in seen
    await told.of(path, lambda: path.write_text("x"))
    await events.close()


def test_what_editors_and_python_leave_behind_does_not_count(root: Path) -> None:
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
    assert [path.relative_to(code).as_posix() for path in files_below(code)] == [
        "inference.py",
        "linked/y.py",
        "package/__init__.py",
    ]
    assert list(files_below(root / "nowhere")) == []
    os.mkfifo(code / "pipe")
    assert code / "pipe" in files_below(code)
