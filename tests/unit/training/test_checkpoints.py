"""Checkpoints between hosts and their place, with nothing running."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts, Uri
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import Checkpoints
from sagelet.errors import BucketNotFound, DiskFull, InvalidRequest
from sagelet.training import checkpoints
from sagelet.training.checkpoints import CheckpointSync, local_folder

AT = Checkpoints("s3://bucket/ckpt")
PATIENCE_S = 10.0


class Kept:
    """A bucket, hosts with folders, and what synchronises them."""

    def __init__(self, root: Path, *, hosts: int = 1, uri: str = AT.uri) -> None:
        self.root = root
        self.buckets = Buckets(root / "buckets")
        self.buckets.create_bucket("bucket")
        self.artifacts = Artifacts(self.buckets)
        self.uri = uri
        self.hosts = {f"algo-{n}": root / f"algo-{n}" / "checkpoints" for n in range(1, hosts + 1)}
        for folder in self.hosts.values():
            folder.mkdir(parents=True)
        self.said: list[str] = []
        self.sync = self.again()

    def again(self, artifacts: Artifacts | None = None) -> CheckpointSync:
        """Another runner's."""
        return CheckpointSync(
            artifacts or self.artifacts,
            Checkpoints(self.uri),
            self.hosts,
            self.root / "checkpoints.json",
            self.said.append,
        )

    def write(self, name: str, text: str, host: str = "algo-1") -> Path:
        file = self.hosts[host] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def put(self, key: str, text: str) -> None:
        file = self.root / "given"
        file.write_text(text)
        self.artifacts.upload(file, S3Uri("bucket", key))

    def stored(self) -> dict[str, str]:
        found = self.buckets.find("bucket", "")
        return {
            each.key: self.artifacts.local_path(S3Uri("bucket", each.key)).read_text()
            for each in found
        }

    def look(self) -> None:
        """Look once, in this thread."""
        self.sync._look(is_last=False)
        self.sync._tell()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_what_is_stored_is_given_to_every_host_before_the_start(tmp_path: Path) -> None:
    kept = Kept(tmp_path, hosts=2)
    kept.put("ckpt/epoch-1.pt", "one")
    kept.put("ckpt/deep/er/state", "two")
    kept.put("ckpt-of-another/x", "not ours")
    assert kept.sync.restore() == 2
    for folder in kept.hosts.values():
        files = {
            str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()
        }
        assert files == {"epoch-1.pt": "one", "deep/er/state": "two"}


def test_a_first_start_has_nothing_to_give(kept: Kept) -> None:
    assert kept.sync.restore() == 0
    assert list(kept.hosts["algo-1"].iterdir()) == []


def test_what_was_given_is_not_stored_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put("ckpt/epoch-1.pt", "one")
    kept.sync.restore()
    sent: list[Uri] = []
    monkeypatch.setattr(Artifacts, "upload", lambda _self, _path, uri: sent.append(uri))
    kept.sync.finish()
    assert sent == []


def test_a_file_is_stored_once_it_rests(kept: Kept) -> None:
    kept.write("epoch-1.pt", "half")
    kept.look()
    assert kept.stored() == {}
    kept.write("epoch-1.pt", "half and half")
    kept.look()
    assert kept.stored() == {}
    kept.look()
    assert kept.stored() == {"ckpt/epoch-1.pt": "half and half"}


def test_what_a_script_removes_is_removed(kept: Kept) -> None:
    kept.put("ckpt/old.pt", "old")
    kept.put("ckpt/other.pt", "other")
    kept.sync.restore()
    (kept.hosts["algo-1"] / "old.pt").unlink()
    kept.look()
    assert kept.stored() == {"ckpt/other.pt": "other"}


def test_what_comes_to_the_bucket_while_the_job_runs_is_left_alone(kept: Kept) -> None:
    kept.sync.restore()
    kept.put("ckpt/from-elsewhere", "x")
    kept.sync.finish()
    assert kept.stored() == {"ckpt/from-elsewhere": "x"}
    assert list(kept.hosts["algo-1"].iterdir()) == []


def test_a_folder_that_is_gone_takes_nothing_with_it(kept: Kept) -> None:
    kept.put("ckpt/epoch-1.pt", "one")
    kept.sync.restore()
    kept.hosts["algo-1"].rename(kept.root / "moved")
    kept.sync.finish()
    assert kept.stored() == {"ckpt/epoch-1.pt": "one"}


def test_the_end_waits_for_no_rest(kept: Kept) -> None:
    kept.write("last.pt", "last")
    kept.sync.finish()
    assert kept.stored() == {"ckpt/last.pt": "last"}


def test_links_to_files_are_followed_and_those_to_nothing_passed_over(kept: Kept) -> None:
    kept.write("epoch-1.pt", "one")
    folder = kept.hosts["algo-1"]
    (folder / "latest").symlink_to("epoch-1.pt")
    (folder / "gone").symlink_to("nothing")
    (folder / "ring").symlink_to(folder)
    kept.sync.finish()
    assert kept.stored() == {"ckpt/epoch-1.pt": "one", "ckpt/latest": "one"}


def test_another_runner_goes_on_where_the_first_one_was(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("a", "a")
    kept.write("b", "b")
    kept.sync.finish()
    (kept.hosts["algo-1"] / "a").unlink()
    kept.write("c", "c")
    sent: list[str] = []
    upload = Artifacts.upload

    def noting(self: Artifacts, path: Path, uri: Uri) -> None:
        sent.append(path.name)
        upload(self, path, uri)

    monkeypatch.setattr(Artifacts, "upload", noting)
    kept.again().finish()
    assert kept.stored() == {"ckpt/b": "b", "ckpt/c": "c"}
    assert sent == ["c"]


def test_hosts_share_a_place_and_their_clashes_are_told_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path, hosts=2)
    for text in ("1", "22"):
        for host in kept.hosts:
            kept.write("epoch.pt", f"{text} of {host}", host)
            kept.write(f"{host}.pt", text, host)
        kept.sync.finish()
    assert kept.stored()["ckpt/epoch.pt"] == "22 of algo-2"
    assert set(kept.stored()) == {"ckpt/epoch.pt", "ckpt/algo-1.pt", "ckpt/algo-2.pt"}
    assert kept.said == [
        "WARNING: checkpoints: epoch.pt was written by algo-1 and algo-2; that of algo-2 is kept"
    ]


def test_a_folder_of_this_machine_is_a_place_too(tmp_path: Path) -> None:
    there = tmp_path / "there"
    kept = Kept(tmp_path, uri=there.as_uri())
    kept.write("deep/x", "x")
    kept.sync.finish()
    assert (there / "deep" / "x").read_text() == "x"
    (kept.hosts["algo-1"] / "deep" / "x").unlink()
    kept.sync.finish()
    assert not (there / "deep" / "x").exists()


def test_a_place_that_is_gone_is_told_once_and_raised_at_the_end(kept: Kept) -> None:
    kept.uri = "s3://no-such-bucket/ckpt"
    kept.sync = kept.again()
    kept.write("a", "a")
    for _ in range(3):
        kept.look()
    with pytest.raises(BucketNotFound):
        kept.sync.finish()
    assert len([line for line in kept.said if "checkpoints cannot be stored" in line]) == 1


def test_one_file_that_cannot_be_stored_leaves_the_others_as_they_are(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("a", "a")
    kept.write("b", "b")
    upload = Artifacts.upload

    def full(self: Artifacts, path: Path, uri: Uri) -> None:
        if path.name == "a":
            raise DiskFull(str(path), 0)
        upload(self, path, uri)

    monkeypatch.setattr(Artifacts, "upload", full)
    with pytest.raises(DiskFull):
        kept.sync.finish()
    assert kept.stored() == {"ckpt/b": "b"}


def test_a_name_that_is_no_text_is_told(kept: Kept) -> None:
    name = os.fsdecode(b"caf\xe9.pt")
    kept.write(name, "x")
    kept.write("b", "b")
    with pytest.raises(InvalidRequest):
        kept.sync.finish()
    assert kept.stored() == {"ckpt/b": "b"}


def waits_for(event: threading.Event) -> Callable[[Artifacts, Path, Uri], None]:
    def upload(_self: Artifacts, _path: Path, _uri: Uri) -> None:
        assert event.wait(PATIENCE_S)

    return upload


def test_a_large_checkpoint_holds_nobody_up(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "REST_S", 0.0)
    kept.write("large", "x")
    kept.look()
    may_end = threading.Event()
    monkeypatch.setattr(Artifacts, "upload", waits_for(may_end))
    before = threading.active_count()
    for _ in range(5):
        kept.sync.tick()
    assert threading.active_count() == before + 1
    may_end.set()
    kept.sync.finish()
    assert threading.active_count() == before


def test_a_local_path_is_found_in_any_tree() -> None:
    assert local_folder(AT, Path("/job/ml")) == Path("/job/ml/checkpoints")
    assert local_folder(Checkpoints("s3://b/c", "/opt/ml/model/c"), Path("/x")) == Path(
        "/x/model/c"
    )
