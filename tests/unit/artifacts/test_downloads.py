"""Objects of a far store: fetched in pieces, over connections that break, and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagelet.artifacts.downloads import PIECE_BYTES, Changed, Downloads
from sagelet.artifacts.object_store import FoundObject
from sagelet.errors import KeyNotFound, RemoteRefused, RemoteUnreachable

BROKEN = RemoteUnreachable(address="far away", reason="the connection broke")


class Far:
    """A far store in memory, whose connections break after so many bytes, as often as it is told.

    `asked` is what was asked for: a key, the first byte and the last.
    """

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.asked: list[tuple[str, int, int]] = []
        self.breaks = 0
        self.after_bytes = 0
        self.gate = threading.Event()
        self.gate.set()

    def found(self, key: str) -> FoundObject:
        data = self.objects[key]
        return FoundObject("b", key, size_bytes=len(data), etag=f'"{hash(data)}"')

    def look(self, bucket: str, key: str) -> FoundObject:
        if key not in self.objects:
            raise KeyNotFound(name=key)
        return self.found(key)

    def read(self, found: FoundObject, first: int, last: int) -> Iterator[bytes]:
        self.asked.append((found.key, first, last))
        if self.look("b", found.key) != found:
            raise Changed(found.key)
        data = self.objects[found.key][first : last + 1]
        if self.breaks:
            self.breaks -= 1
            yield data[: self.after_bytes]
            raise BROKEN
        for at in range(0, len(data), 2**20):
            assert self.gate.wait(10)
            yield data[at : at + 2**20]


@pytest.fixture
def told() -> list[str]:
    return []


def downloads(root: Path, far: Far, told: list[str], limit_bytes: int = 2**40) -> Downloads:
    return Downloads(root / "far", far, tell=told.append, limit_bytes=limit_bytes, pause_s=0.001)


def names(root: Path) -> tuple[int, int]:
    """How many objects are kept, and how many are on their way."""
    return len(list((root / "far" / "objects").iterdir())), len(
        list((root / "far" / "drafts").iterdir())
    )


def test_objects_come_whole_in_pieces_and_are_kept(tmp_path: Path, told: list[str]) -> None:
    far = Far(a=b"1", empty=b"", big=bytes(range(256)) * (PIECE_BYTES // 128 + 3))
    ours = downloads(tmp_path, far, told)
    come = {found.key: path for found, path in ours.fetch(map(far.found, far.objects))}
    assert {key: path.read_bytes() for key, path in come.items()} == far.objects
    assert len([key for key, _, _ in far.asked if key == "big"]) == 3
    asked = len(far.asked)
    again = {found.key: path for found, path in ours.fetch(map(far.found, far.objects))}
    assert again == come
    assert len(far.asked) == asked
    assert names(tmp_path) == (3, 0)


def test_what_is_only_named_is_looked_up_and_what_is_gone_is_left_out(
    tmp_path: Path, told: list[str]
) -> None:
    far = Far(a=b"1")
    wanted = [FoundObject("b", "a"), FoundObject("b", "gone")]
    come = list(downloads(tmp_path, far, told).fetch(wanted))
    assert [(found.key, path.read_bytes()) for found, path in come] == [("a", b"1")]


def test_after_a_broken_connection_a_piece_goes_on_where_it_was(
    tmp_path: Path, told: list[str]
) -> None:
    far = Far(a=b"0123456789")
    far.breaks, far.after_bytes = 2, 4
    ((_, path),) = downloads(tmp_path, far, told).fetch([far.found("a")])
    assert path.read_bytes() == b"0123456789"
    assert far.asked == [("a", 0, 9), ("a", 4, 9), ("a", 8, 9)]


def test_an_answer_that_ends_too_early_is_a_broken_connection(
    tmp_path: Path, told: list[str]
) -> None:
    far = Far(a=b"0123456789")
    found = far.found("a")
    reads = iter([b"012", b"3456789"])

    class Short(Far):
        def read(self, found: FoundObject, first: int, last: int) -> Iterator[bytes]:
            yield next(reads)

    ((_, path),) = downloads(tmp_path, Short(**far.objects), told).fetch([found])
    assert path.read_bytes() == b"0123456789"


def test_three_tries_are_enough_and_nothing_partial_is_ever_used(
    tmp_path: Path, told: list[str]
) -> None:
    far = Far(a=b"0123456789")
    far.breaks, far.after_bytes = 3, 1
    with pytest.raises(RemoteUnreachable, match="far away"):
        list(downloads(tmp_path, far, told).fetch([far.found("a")]))
    assert names(tmp_path) == (0, 0)


def test_what_is_refused_is_not_asked_again(tmp_path: Path, told: list[str]) -> None:
    class Closed(Far):
        def read(self, found: FoundObject, first: int, last: int) -> Iterator[bytes]:
            self.asked.append((found.key, first, last))
            raise RemoteRefused("GetObject", "AccessDenied", "no")

    far = Closed(a=b"1")
    with pytest.raises(RemoteRefused, match="AccessDenied"):
        list(downloads(tmp_path, far, told).fetch([far.found("a")]))
    assert len(far.asked) == 1


def test_an_object_that_was_stored_again_is_begun_anew(tmp_path: Path, told: list[str]) -> None:
    far = Far(a=b"old")
    before = far.found("a")
    far.objects["a"] = b"newer"
    ((_, path),) = downloads(tmp_path, far, told).fetch([before])
    assert path.read_bytes() == b"newer"


def test_who_stops_listening_stops_the_rest(tmp_path: Path, told: list[str]) -> None:
    far = Far(**{f"k{n}": b"x" * 3 * 2**20 for n in range(30)}, first=b"1")
    ours = downloads(tmp_path, far, told)
    far.gate.clear()
    waiting = ours.fetch([far.found("first"), *map(far.found, far.objects)])
    threading.Timer(0.05, far.gate.set).start()
    next(waiting)
    began = time.monotonic()
    waiting.close()  # type: ignore[attr-defined]  # it is a generator
    assert time.monotonic() - began < 5
    assert names(tmp_path)[1] == 0
    assert names(tmp_path)[0] < 31


def test_what_a_killed_process_left_half_done_is_swept(tmp_path: Path, told: list[str]) -> None:
    far = Far(a=b"1")
    downloads(tmp_path, far, told)
    (tmp_path / "far" / "drafts" / "half").write_bytes(b"0")
    downloads(tmp_path, far, told)
    assert names(tmp_path) == (0, 0)


def test_a_file_that_lost_bytes_is_fetched_again(tmp_path: Path, told: list[str]) -> None:
    far = Far(a=b"0123")
    ours = downloads(tmp_path, far, told)
    ((_, path),) = ours.fetch([far.found("a")])
    path.write_bytes(b"01")
    ((_, path),) = ours.fetch([far.found("a")])
    assert path.read_bytes() == b"0123"


def wait_for_the_next_tick(folder: Path) -> None:
    """Wait until the file system's time, which goes in steps, has moved on."""
    probe = folder / "probe"
    probe.touch()
    first, deadline = probe.stat().st_ctime_ns, time.monotonic() + 5
    while probe.stat().st_ctime_ns == first:
        assert time.monotonic() < deadline
        probe.chmod(0o600)


def test_beyond_the_limit_those_go_that_were_not_used_for_longest(
    tmp_path: Path, told: list[str]
) -> None:
    far = Far(a=b"a" * 40, b=b"b" * 40, c=b"c" * 40, viewed=b"v" * 40)
    ours = downloads(tmp_path, far, told, limit_bytes=130)
    paths = {}
    for key in ("viewed", "a", "b", "a", "c"):
        wait_for_the_next_tick(tmp_path)
        ((_, paths[key]),) = ours.fetch([far.found(key)])
        if key == "viewed":
            (tmp_path / "view").hardlink_to(paths[key])
    assert [key for key, path in sorted(paths.items()) if path.exists()] == ["a", "c", "viewed"]


def test_how_far_a_large_download_is_is_told(tmp_path: Path, told: list[str]) -> None:
    far = Far(**{f"k{n}": b"x" * PIECE_BYTES for n in range(5)})
    list(downloads(tmp_path, far, told).fetch(map(far.found, far.objects)))
    assert len(told) == 1
    assert told[0].startswith("Downloaded 80 MB from S3 in ")
