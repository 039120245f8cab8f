import hashlib
import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import ObjectMeta, StoredObject
from sagelet.errors import (
    AlreadyExists,
    BucketNotEmpty,
    BucketNotFound,
    InvalidRequest,
    KeyNotFound,
)

ODD_KEYS = [
    "sp ace/ü+&=%41~'(x).txt",
    "a//b",
    "/leading",
    "trailing/",
    "../../escape",
    "..",
    "./x/.",
    "nul\0byte",
    "line\nbreak",
    "back\\slash",
    "%~e",
    "x" * 600,
    "x" * 250 + "/" + "y" * 300 + "/z",
    "日本語/" + "é" * 200,
    "~",
    "-rf",
    ".meta/x",
]


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    buckets = Buckets(tmp_path / "state" / "buckets")
    buckets.create_bucket("data")
    return buckets


def put(
    buckets: Buckets, key: str, data: bytes = b"x", meta: ObjectMeta | None = None
) -> StoredObject:
    return buckets.put("data", key, io.BytesIO(data), meta)


def read(buckets: Buckets, key: str) -> bytes:
    with buckets.open("data", key) as opened:
        return opened.file.read()


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def test_an_object_is_a_plain_file_in_its_buckets_folder(buckets: Buckets) -> None:
    put(buckets, "train/a.csv", b"1,2")
    path = buckets.root / "data" / "train" / "a.csv"
    assert path.read_bytes() == b"1,2"
    assert buckets.path("data", "train/a.csv") == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_its_writer_said_of_an_object_is_kept(buckets: Buckets) -> None:
    meta = ObjectMeta("text/csv", {"cache-control": "no-store"}, {"who": "me"})
    stored = put(buckets, "a", b"hello", meta)
    again = Buckets(buckets.root).head("data", "a")
    assert again == stored
    assert again.meta == meta
    assert again.etag == md5(b"hello")
    assert again.size_bytes == 5


def test_a_file_may_be_put_by_its_path(buckets: Buckets, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"from a file")
    buckets.put("data", "k", source)
    assert read(buckets, "k") == b"from a file"


def test_an_empty_object_is_an_object(buckets: Buckets) -> None:
    put(buckets, "empty", b"")
    assert buckets.head("data", "empty").etag == md5(b"")


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_stored_listed_read_and_deleted(buckets: Buckets, key: str) -> None:
    put(buckets, key, key.encode())
    assert read(buckets, key) == key.encode()
    assert [found.key for found in buckets.list("data").objects] == [key]
    assert buckets.delete("data", key)
    assert list((buckets.root / "data").iterdir()) == []


def test_nothing_ever_lands_outside_the_root(buckets: Buckets, tmp_path: Path) -> None:
    for key in ODD_KEYS:
        put(buckets, key)
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(buckets.root)]
    assert outside == [buckets.root.parent]
    stored = [path for path in (buckets.root / "data").rglob("*") if path.is_file()]
    assert len(stored) == len(ODD_KEYS)


def test_all_odd_keys_live_beside_each_other(buckets: Buckets) -> None:
    for key in ODD_KEYS:
        put(buckets, key, key.encode())
    assert [found.key for found in buckets.list("data").objects] == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        assert read(buckets, key) == key.encode()


@pytest.mark.parametrize("key", ["", "x" * 1025, "\ud800"])
def test_what_is_no_key_is_refused(buckets: Buckets, key: str) -> None:
    with pytest.raises(InvalidRequest):
        put(buckets, key)


@pytest.mark.parametrize("keys", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b", "a")])
def test_a_key_may_be_the_folder_of_another(buckets: Buckets, keys: tuple[str, ...]) -> None:
    for key in keys:
        put(buckets, key, key.encode())
    for key in keys:
        assert read(buckets, key) == key.encode()
    assert [found.key for found in buckets.list("data").objects] == sorted(keys)
    for key in keys:
        put(buckets, key, b"again")
        assert read(buckets, key) == b"again"
        assert buckets.delete("data", key)
    assert buckets.list("data").objects == ()
    assert list((buckets.root / "data").iterdir()) == []


def test_a_key_keeps_its_metadata_when_a_folder_takes_its_place(buckets: Buckets) -> None:
    stored = put(buckets, "a", b"1", ObjectMeta("text/plain"))
    put(buckets, "a/b", b"2")
    assert buckets.head("data", "a") == stored


def test_a_key_returns_to_its_place_when_the_folder_is_gone(buckets: Buckets) -> None:
    put(buckets, "a/b", b"2")
    put(buckets, "a", b"1")
    buckets.delete("data", "a/b")
    put(buckets, "a", b"3")
    assert (buckets.root / "data" / "a").read_bytes() == b"3"
    assert [found.key for found in buckets.list("data").objects] == ["a"]


def test_a_file_dropped_into_the_folder_is_an_object(buckets: Buckets) -> None:
    folder = buckets.root / "data" / "hand"
    folder.mkdir()
    (folder / "made.txt").write_bytes(b"by hand")
    assert [found.key for found in buckets.list("data").objects] == ["hand/made.txt"]
    assert buckets.head("data", "hand/made.txt").etag == md5(b"by hand")
    assert read(buckets, "hand/made.txt") == b"by hand"


def test_an_etag_that_was_computed_is_kept_until_the_file_changes(buckets: Buckets) -> None:
    path = buckets.root / "data" / "made.txt"
    path.write_bytes(b"one")
    os.utime(path, ns=(1, 1))
    assert buckets.head("data", "made.txt").etag == md5(b"one")
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # same size and time: the kept ETag is believed
    assert buckets.head("data", "made.txt").etag == md5(b"one")
    os.utime(path, ns=(2, 2))
    assert buckets.head("data", "made.txt").etag == md5(b"two")


def test_a_file_edited_by_hand_keeps_its_metadata_and_gets_a_new_etag(buckets: Buckets) -> None:
    put(buckets, "a", b"old", ObjectMeta("text/plain", user={"who": "me"}))
    (buckets.root / "data" / "a").write_bytes(b"new!")
    stored = buckets.head("data", "a")
    assert stored.etag == md5(b"new!")
    assert stored.meta == ObjectMeta("text/plain", user={"who": "me"})


def test_a_damaged_side_car_costs_the_metadata_only(buckets: Buckets) -> None:
    put(buckets, "a", b"bytes", ObjectMeta("text/plain"))
    for sidecar in (buckets.root / ".meta" / "data" / "objects").rglob("*.json"):
        sidecar.write_text("{half")
    assert buckets.head("data", "a").etag == md5(b"bytes")
    assert read(buckets, "a") == b"bytes"


def test_links_in_a_bucket_are_not_followed(buckets: Buckets, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (buckets.root / "data" / "file").symlink_to(outside / "secret")
    (buckets.root / "data" / "folder").symlink_to(outside)
    assert buckets.list("data").objects == ()
    for key in ("file", "folder/secret"):
        with pytest.raises(KeyNotFound):
            buckets.open("data", key)
    with pytest.raises(InvalidRequest):
        put(buckets, "folder/new")
    put(buckets, "file", b"replaces the link")
    assert (outside / "secret").read_text() == "s"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_fifo_and_a_name_that_is_not_text_are_passed_over(buckets: Buckets) -> None:
    os.mkfifo(buckets.root / "data" / "fifo")
    (Path(os.fsencode(buckets.root / "data").decode()) / os.fsdecode(b"\xff\xfe")).write_text("x")
    (buckets.root / "data" / "a%~z").write_text("x")
    assert buckets.list("data").objects == ()
    with pytest.raises(KeyNotFound):
        buckets.open("data", "fifo")


def test_what_was_not_committed_is_gone(buckets: Buckets) -> None:
    put(buckets, "a", b"old")
    with buckets.writer("data", "a") as writer:
        writer.write(b"new")
    assert read(buckets, "a") == b"old"
    assert list((buckets.root / ".meta" / "drafts").iterdir()) == []


def test_an_open_object_stays_whole_while_another_takes_its_name(buckets: Buckets) -> None:
    first = put(buckets, "a", b"first")
    with buckets.open("data", "a") as opened:
        put(buckets, "a", b"second")
        assert opened.stored == first
        assert opened.file.read() == b"first"
    assert read(buckets, "a") == b"second"


def test_a_check_may_refuse_on_seeing_what_is_stored(buckets: Buckets) -> None:
    seen: list[StoredObject | None] = []

    def refuse(stored: StoredObject | None) -> None:
        seen.append(stored)
        raise InvalidRequest("no")

    old = put(buckets, "a", b"old")
    with buckets.writer("data", "a") as writer, pytest.raises(InvalidRequest):
        writer.commit(check=refuse)
    with buckets.writer("data", "b") as writer, pytest.raises(InvalidRequest):
        writer.commit(check=refuse)
    assert seen == [old, None]
    assert read(buckets, "a") == b"old"


def test_a_missing_object_and_a_missing_bucket_are_told_apart(buckets: Buckets) -> None:
    with pytest.raises(KeyNotFound):
        buckets.head("data", "none")
    with pytest.raises(KeyNotFound):
        buckets.head("data", "x" * 900)
    for name in ("none", "..", ".meta", "", "data/../data"):
        with pytest.raises(BucketNotFound):
            buckets.head(name, "none")
    assert not buckets.delete("data", "none")


def test_a_bucket_is_created_described_and_deleted(buckets: Buckets) -> None:
    made = buckets.create_bucket("more", "eu-west-1")
    assert buckets.head_bucket("more") == made
    assert [bucket.name for bucket in buckets.list_buckets()] == ["data", "more"]
    with pytest.raises(AlreadyExists):
        buckets.create_bucket("more")
    buckets.delete_bucket("more")
    assert [bucket.name for bucket in buckets.list_buckets()] == ["data"]
    with pytest.raises(BucketNotFound):
        buckets.delete_bucket("more")


def test_a_folder_made_by_hand_is_a_bucket(buckets: Buckets) -> None:
    (buckets.root / "by-hand").mkdir()
    (buckets.root / "Not A Bucket").mkdir()
    (buckets.root / "a-file").write_text("x")
    assert [bucket.name for bucket in buckets.list_buckets()] == ["by-hand", "data"]
    assert buckets.head_bucket("by-hand").region == "us-east-1"


def test_a_bucket_that_holds_files_is_not_deleted(buckets: Buckets) -> None:
    put(buckets, "a/b")
    with pytest.raises(BucketNotEmpty):
        buckets.delete_bucket("data")
    assert read(buckets, "a/b") == b"x"


def test_empty_folders_do_not_keep_a_bucket(buckets: Buckets) -> None:
    (buckets.root / "data" / "a" / "b").mkdir(parents=True)
    assert buckets.list("data", delimiter="/").prefixes == ()
    buckets.delete_bucket("data")
    assert not (buckets.root / "data").exists()


def test_an_object_that_comes_after_its_bucket_has_gone_is_not_stored(buckets: Buckets) -> None:
    with buckets.writer("data", "a") as writer:
        buckets.delete_bucket("data")
        with pytest.raises(BucketNotFound):
            writer.commit()
    assert not (buckets.root / "data").exists()


def test_keys_that_differ_in_case_only_are_refused_where_the_file_system_folds_case(
    tmp_path: Path,
) -> None:
    class FoldingBuckets(Buckets):
        def __init__(self, root: Path) -> None:
            super().__init__(root)
            self._folds_case = True

    buckets = FoldingBuckets(tmp_path)
    buckets.create_bucket("data")
    put(buckets, "Model/weights", b"1")
    for key in ("model/weights", "Model/Weights", "model/other"):
        with pytest.raises(InvalidRequest, match="case"):
            put(buckets, key)
        with pytest.raises(KeyNotFound):
            buckets.head("data", key)
    put(buckets, "Model/weights", b"2")
    assert read(buckets, "Model/weights") == b"2"


def test_a_sweep_removes_what_dead_processes_left_and_nothing_else(buckets: Buckets) -> None:
    left = buckets.root / ".meta" / "drafts" / "dead"
    left.write_text("half")
    with buckets.writer("data", "a") as writer:
        writer.write(b"alive")
        assert buckets.sweep() == 1
        writer.commit()
    assert not left.exists()
    assert read(buckets, "a") == b"alive"


KILLED = """
import os, signal, sys
from pathlib import Path
from sagelet.artifacts.objects import Buckets
with Buckets(Path(sys.argv[1])).writer("data", "a") as writer:
    writer.write(b"new" * 1_000_000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_the_old_object_and_a_draft_to_sweep(
    buckets: Buckets,
) -> None:
    put(buckets, "a", b"old")
    arguments = [sys.executable, "-c", KILLED, str(buckets.root)]
    assert subprocess.run(arguments, check=False, timeout=30).returncode == -9
    assert read(buckets, "a") == b"old"
    assert buckets.sweep() == 1
    assert list((buckets.root / ".meta" / "drafts").iterdir()) == []


def test_concurrent_puts_of_one_key_leave_one_of_them_whole(buckets: Buckets) -> None:
    bodies = [bytes([number]) * 100_000 for number in range(16)]
    seen: list[tuple[str, str]] = []

    def look(_: int) -> None:
        try:
            with buckets.open("data", "k") as opened:
                seen.append((opened.stored.etag, md5(opened.file.read())))
        except KeyNotFound:
            return

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(put, buckets, "k", body) for body in bodies * 4]
        list(pool.map(look, range(100)))
        etags = {write.result().etag for write in writes}
    assert all(etag == content for etag, content in seen)
    assert {etag for etag, _ in seen} <= etags
    assert read(buckets, "k") in bodies
    assert list((buckets.root / ".meta" / "drafts").iterdir()) == []


def test_concurrent_writers_of_conflicting_keys_lose_nothing(buckets: Buckets) -> None:
    keys = ["a", "a/b", "a/b/c", "a/b/c/d", "a/x", "a//b"]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(10):
            list(pool.map(lambda key: put(buckets, key, key.encode()), keys))
            list(pool.map(lambda key: buckets.delete("data", key), keys[::2]))
            assert [found.key for found in buckets.list("data").objects] == sorted(keys[1::2])
    for key in keys[1::2]:
        assert read(buckets, key) == key.encode()


WRITER = """
import io, sys
from pathlib import Path
from sagelet.artifacts.objects import Buckets
buckets = Buckets(Path(sys.argv[1]))
for number in range(60):
    body = (sys.argv[2] * 1000 + str(number)).encode()
    buckets.put("data", "shared", io.BytesIO(body))
    buckets.put("data", f"mine/{sys.argv[2]}", io.BytesIO(body))
    if number % 3 == 0:
        buckets.delete("data", f"mine/{sys.argv[2]}")
"""


def test_two_processes_may_write_the_same_keys(buckets: Buckets) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(buckets.root), name]) for name in "pq"
    ]
    seen = []
    while any(writer.poll() is None for writer in writers):
        for stored in buckets.list("data").objects:
            try:
                with buckets.open("data", stored.key) as opened:
                    seen.append(opened.stored.etag == md5(opened.file.read()))
            except KeyNotFound:
                continue
    assert [writer.wait(10) for writer in writers] == [0, 0]
    assert seen
    assert all(seen)
    assert [s.key for s in buckets.list("data").objects] == ["mine/p", "mine/q", "shared"]
