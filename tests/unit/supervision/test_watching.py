"""The watcher: events where there are any, else looking; and the simple form, a stream of paths."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.supervision.folder_events import Changed
from sagelet.supervision.inotify import advice
from sagelet.supervision.inotify_events import InotifyEvents
from sagelet.supervision.polled_events import PolledEvents
from sagelet.supervision.watching import Watcher, must_poll, watch

DEADLINE_S = 10.0
QUICKLY = {"WATCHFILES_POLL_DELAY_MS": "20"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "inference.py").write_text("1")
    return tmp_path


@pytest.fixture
async def problems() -> list[str]:
    return []


@pytest.fixture
async def watcher(problems: list[str]) -> AsyncIterator[Watcher]:
    watcher = Watcher(QUICKLY, problems.append)
    yield watcher
    await watcher.close()


async def test_folders_are_watched_by_events(root: Path, watcher: Watcher) -> None:
    changes: asyncio.Queue[Changed] = asyncio.Queue()
    watched = await watcher.add(root, changes.put_nowait)
    assert isinstance(watched.events, InotifyEvents)
    (root / "inference.py").write_text("2")
    changed = await asyncio.wait_for(changes.get(), DEADLINE_S)
    assert changed == Changed(saved=frozenset({root / "inference.py"}))


async def test_two_hundred_folders_share_one_descriptor(root: Path, watcher: Watcher) -> None:
    changes: asyncio.Queue[Changed] = asyncio.Queue()
    folders = [root / str(number) for number in range(200)]
    await watcher.add(root / "0", changes.put_nowait)
    before = _descriptors()
    for folder in folders[1:]:
        folder.mkdir()
        await watcher.add(folder, changes.put_nowait)
    assert _descriptors() == before
    (folders[-1] / "x.py").write_text("x")
    changed = await asyncio.wait_for(changes.get(), DEADLINE_S)
    assert changed.saved == {folders[-1] / "x.py"}


async def test_a_closed_watch_tells_nothing(root: Path, watcher: Watcher) -> None:
    closed: asyncio.Queue[Changed] = asyncio.Queue()
    other: asyncio.Queue[Changed] = asyncio.Queue()
    watched = await watcher.add(root, closed.put_nowait)
    await watcher.add(root, other.put_nowait)
    await watched.close()
    (root / "inference.py").write_text("2")
    await asyncio.wait_for(other.get(), DEADLINE_S)
    assert closed.empty()


async def test_folders_are_looked_at_where_events_do_not_come(root: Path) -> None:
    watcher = Watcher({**QUICKLY, "WATCHFILES_FORCE_POLLING": "true"})
    changes: asyncio.Queue[Changed] = asyncio.Queue()
    watched = await watcher.add(root, changes.put_nowait)
    assert isinstance(watched.events, PolledEvents)
    (root / "inference.py").write_text("22")
    changed = await asyncio.wait_for(changes.get(), DEADLINE_S)
    assert changed.saved == {root / "inference.py"}
    await watcher.close()


async def test_a_folder_that_cannot_be_watched_any_more_is_looked_at(
    root: Path, watcher: Watcher, problems: list[str]
) -> None:
    changes: asyncio.Queue[Changed] = asyncio.Queue()
    watched = await watcher.add(root, changes.put_nowait)
    for _ in range(2):
        watched.root.lost(OSError(errno.ENOSPC, "No space left on device"))
    whole = await asyncio.wait_for(changes.get(), DEADLINE_S)
    assert whole.saved == {root}
    assert isinstance(watched.events, PolledEvents)
    (root / "inference.py").write_text("22")
    async with asyncio.timeout(DEADLINE_S):
        while root / "inference.py" not in (await changes.get()).saved:
            pass
    assert problems == [
        "folders are looked at every now and then: No space left on device "
        "(sysctl fs.inotify.max_user_watches is too small)"
    ]


def test_only_a_limit_of_the_kernels_has_advice() -> None:
    assert advice(OSError(errno.EACCES, "no")) == ""


@pytest.mark.parametrize(
    ("said", "polls"),
    [("", False), ("false", False), ("disabled", False), ("1", True), ("true", True)],
)
def test_polling_is_asked_for_as_watchfiles_has_it(said: str, polls: bool) -> None:
    assert must_poll({"WATCHFILES_FORCE_POLLING": said}) is polls


async def test_changes_of_some_folders_are_a_stream_until_it_is_stopped(root: Path) -> None:
    stop = asyncio.Event()
    seen: set[Path] = set()
    wanted = {root / "inference.py", root / "later" / "x.py"}

    async def follow() -> None:
        async for paths in watch([root, root / "later"], stop=stop):
            seen.update(paths)
            if wanted <= seen:
                stop.set()

    following = asyncio.create_task(follow())
    async with asyncio.timeout(DEADLINE_S):
        while not following.done():
            (root / "later").mkdir(exist_ok=True)
            for path in wanted:
                path.write_text("2")
            await asyncio.wait({following}, timeout=0.05)
    await following


async def test_a_watch_of_nothing_that_is_there_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    assert [paths async for paths in watch([tmp_path / "nowhere"], stop=stop)] == []


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
