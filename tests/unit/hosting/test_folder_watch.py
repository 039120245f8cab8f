"""The edits of a folder, without workers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sagelet.hosting.fingerprints import EMPTY, Fingerprints
from sagelet.hosting.folder_watch import Changes, FolderWatch, Outcome


class Attempts:
    """Serves whatever it is told of, and remembers it."""

    def __init__(self) -> None:
        self.made: list[Changes] = []
        self.served = asyncio.Event()

    async def serve(self, changes: Changes, _superseded: asyncio.Event) -> Outcome:
        self.made.append(changes)
        self.served.set()
        return Outcome.SERVED


def watching(folder: Path, attempts: Attempts) -> FolderWatch:
    return FolderWatch(Fingerprints(folder), attempts.serve, on_note=lambda _text: None)


async def test_a_save_that_empties_the_file_first_is_one_edit(tmp_path: Path) -> None:
    file = tmp_path / "inference.py"
    file.write_text("x = 1\n")
    attempts = Attempts()
    watch = watching(tmp_path, attempts)
    file.write_text("")
    await asyncio.sleep(0.06)  # longer than a watch gathers events for
    file.write_text("x = 2\n")
    await asyncio.wait_for(attempts.served.wait(), 5)
    await watch.close()
    assert [set(changes) for changes in attempts.made] == [{file}]
    assert EMPTY not in attempts.made[0].values()


async def test_a_file_that_stays_empty_is_an_edit_too(tmp_path: Path) -> None:
    file = tmp_path / "inference.py"
    file.write_text("x = 1\n")
    attempts = Attempts()
    watch = watching(tmp_path, attempts)
    file.write_text("")
    await asyncio.wait_for(attempts.served.wait(), 5)
    await watch.close()
    assert attempts.made == [{file: EMPTY}]
