"""What hosts see of a job's channels: views to lie under an overlay, or copies where there is none.

The overlay itself is mounted by the host: see tests/functional/test_channels.py.
"""

from __future__ import annotations

import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.domain.training import Cluster, LiteralProgram
from sagelet.errors import InvalidRequest, ModelDataMissing, UnsafeArchive
from sagelet.training.channels import Channels, Shown, remove_inputs
from sagelet.training.layout import HostFolder
from sagelet.training.order import JobPaths
from tests.training_builders import a_channel, an_order

NO_OVERLAY = "no overlay here"


class Rig:
    """A job's folder, a bucket, and hosts that look."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.buckets = Buckets(root / "buckets")
        self.buckets.create_bucket("bucket")
        self.paths = JobPaths(root / "job")
        self.paths.root.mkdir()

    def put(self, **files: str | bytes) -> None:
        """Store objects below `training/`; `__` in a name is a dot."""
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            self.put_key(f"training/{name.replace('__', '.')}", data)

    def put_key(self, key: str, data: bytes = b"x") -> None:
        self.buckets.put("bucket", key, io.BytesIO(data))

    def folder(self, host: str = "algo-1") -> HostFolder:
        return HostFolder(self.paths.host(host))

    def show(
        self,
        host: int = 1,
        *,
        hosts: int = 1,
        no_overlay: str = "",
        no_namespace: str = "",
        **channel: object,
    ) -> Shown:
        """Make one channel ready for a host."""
        asked = a_channel("training", **channel)
        order = an_order(
            channels=(asked,),
            cluster=Cluster.of(hosts, "local"),
            no_overlay=no_overlay,
            no_namespace=no_namespace,
        )
        channels = Channels(Artifacts(self.buckets), order, self.paths)
        at = order.cluster.hosts[host - 1]
        return channels.show(asked, at, self.folder(at.name))

    def lower(self, host: int = 1, **asked: Any) -> Path:  # noqa: ANN401  the names of `show`
        """Show a channel, and return what the overlay shows."""
        shown = self.show(host, **asked)
        assert shown.overlay is not None
        return Path(shown.overlay.lower)

    def copied(self, host: int = 1, **asked: Any) -> Path:  # noqa: ANN401  the names of `show`
        """Copy a channel, and return where to."""
        shown = self.show(host, no_overlay=NO_OVERLAY, **asked)
        assert shown.overlay is None
        return self.folder(f"algo-{host}").tree.channel("training")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def a_manifest(rig: Rig, *names: object, prefix: str = "s3://bucket/training/") -> str:
    rig.put_key("lists/train.manifest", json.dumps([{"prefix": prefix}, *names]).encode())
    return "s3://bucket/lists/train.manifest"


def test_a_prefix_is_shown_under_hard_links_below_what_the_host_writes(rig: Rig) -> None:
    rig.put(a="1", b="2")
    rig.put_key("other", b"3")
    shown = rig.show()
    assert shown.overlay is not None
    assert tree(Path(shown.overlay.lower)) == {"a": "1", "b": "2"}
    assert Path(shown.overlay.lower, "a").samefile(rig.buckets.path("bucket", "training/a"))
    assert shown.overlay.target == "input/data/training"
    assert (rig.folder().tree.base / shown.overlay.target).is_dir()
    assert Path(shown.overlay.upper).is_dir()
    assert Path(shown.overlay.work).is_dir()
    assert Path(shown.overlay.upper).is_relative_to(rig.folder().root)


def test_links_change_nothing_that_is_known_of_an_object(rig: Rig) -> None:
    rig.put(a="1")
    before = rig.buckets.head("bucket", "training/a")
    rig.show()
    assert rig.buckets.head("bucket", "training/a") == before
    assert [each.key for each in rig.buckets.list("bucket").objects] == ["training/a"]


def test_what_is_stored_or_deleted_meanwhile_changes_no_view(rig: Rig) -> None:
    rig.put(a="1", b="2")
    lower = rig.lower()
    rig.put(a="new", c="3")
    rig.buckets.delete("bucket", "training/b")
    assert tree(lower) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("count", [1, 1000])
def test_two_gigabytes_are_shown_in_less_than_half_a_second(rig: Rig, count: int) -> None:
    folder = rig.buckets.root / "bucket" / "training"
    folder.mkdir()
    for number in range(count):
        with (folder / str(number)).open("wb") as file:
            file.truncate(2 * 2**30 // count)
    began = time.monotonic()
    lower = rig.lower()
    assert time.monotonic() - began < 0.5
    assert len(list(lower.iterdir())) == count


def test_a_fast_file_channel_cannot_be_written(rig: Rig) -> None:
    rig.put(a="1")
    shown = rig.show(input_mode="FastFile")
    assert shown.overlay is not None
    assert (shown.overlay.upper, shown.overlay.work) == ("", "")


def test_hosts_that_see_the_same_share_one_view_and_write_apart(rig: Rig) -> None:
    rig.put(a="1")
    one, two = (rig.show(n, hosts=2).overlay for n in (1, 2))
    assert one is not None
    assert two is not None
    assert one.lower == two.lower
    assert one.upper != two.upper


def test_what_an_earlier_attempt_wrote_is_gone(rig: Rig) -> None:
    rig.put(a="1")
    first = rig.show().overlay
    assert first is not None
    Path(first.upper, "a").write_text("written")
    closed = Path(first.work, "work")  # as the kernel leaves it
    closed.mkdir(mode=0)
    second = rig.show().overlay
    assert second == first
    assert list(Path(first.upper).iterdir()) == list(Path(first.work).iterdir()) == []


def test_a_folder_of_this_machine_is_shown_as_it_is(rig: Rig) -> None:
    data = rig.root / "my data: 1,2"
    (data / "deep").mkdir(parents=True)
    (data / "deep" / "a").write_text("1")
    assert rig.lower(uri=data.as_uri()) == data
    link = rig.root / "link"
    link.symlink_to(data)
    assert rig.lower(uri=link.as_uri()) == data


def test_a_folder_with_links_in_it_is_shown_without_them(rig: Rig) -> None:
    data, elsewhere = rig.root / "data", rig.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "big").write_text("1")
    data.mkdir()
    (data / "a").write_text("2")
    (data / "big").symlink_to(elsewhere / "big")
    (data / "all").symlink_to(elsewhere)
    lower = rig.lower(uri=data.as_uri())
    assert lower != data
    assert tree(lower) == {"a": "2", "big": "1", "all/big": "1"}
    assert not any(path.is_symlink() for path in lower.rglob("*"))


def test_a_single_file_of_this_machine_is_a_channel(rig: Rig) -> None:
    file = rig.root / "b.csv"
    file.write_text("2")
    assert tree(rig.lower(uri=file.as_uri())) == {"b.csv": "2"}


def test_the_folder_that_holds_the_job_itself_is_no_lower_folder(rig: Rig) -> None:
    (rig.root / "x").write_text("1")
    assert rig.lower(uri=rig.root.as_uri()) != rig.root


def test_what_is_only_read_needs_no_overlay_but_a_namespace(rig: Rig) -> None:
    rig.put(a="1")
    assert rig.show(input_mode="FastFile", no_overlay=NO_OVERLAY).overlay is not None
    assert (
        rig.show(input_mode="FastFile", no_overlay=NO_OVERLAY, no_namespace=NO_OVERLAY).overlay
        is None
    )


def test_without_an_overlay_a_channel_is_copied(rig: Rig) -> None:
    rig.put(a="1")
    file = rig.root / "b.csv"
    file.write_text("2")
    folder = rig.copied()
    rig.copied(uri=file.as_uri())
    assert tree(folder) == {"a": "1", "b.csv": "2"}
    for name in ("a", "b.csv"):
        (folder / name).write_text("changed")
    assert file.read_text() == "2"
    assert rig.buckets.path("bucket", "training/a").read_text() == "1"


def test_the_code_of_a_model_trainers_job_is_copied(rig: Rig) -> None:
    rig.put_key("code/train.py", b"pass")
    asked = a_channel("code")
    program = LiteralProgram(("/bin/bash",))
    order = an_order(channels=(asked,), program=program)
    host = order.cluster.hosts[0]
    shown = Channels(Artifacts(rig.buckets), order, rig.paths).show(asked, host, rig.folder())
    assert shown.overlay is None
    assert tree(rig.folder().tree.channel("code")) == {"train.py": "pass"}


@pytest.mark.parametrize("no_overlay", ["", NO_OVERLAY])
@pytest.mark.parametrize(
    "uri", ["s3://bucket/none", "s3://no-bucket/x", "file:///no/such/folder", "file://{root}/empty"]
)
def test_a_channel_without_files_is_refused(rig: Rig, uri: str, no_overlay: str) -> None:
    (rig.root / "empty").mkdir()
    with pytest.raises(ModelDataMissing):
        rig.show(uri=uri.format(root=rig.root), no_overlay=no_overlay)


@pytest.mark.parametrize("keys", [("a", "a/b"), ("../evil",), ("a/b", "a//b"), ("n\0l",), ("./a",)])
@pytest.mark.parametrize("no_overlay", ["", NO_OVERLAY])
def test_keys_that_cannot_be_files_are_refused_whole(
    rig: Rig, keys: tuple[str, ...], no_overlay: str
) -> None:
    for key in keys:
        rig.put_key(f"training/{key}")
    with pytest.raises(InvalidRequest):
        rig.show(no_overlay=no_overlay, uri="s3://bucket/training/")
    assert not (rig.paths.root / "views").exists() or not any((rig.paths.root / "views").iterdir())


def test_two_keys_with_one_name_below_the_prefix_are_refused(rig: Rig) -> None:
    rig.put_key("training/train.csv")
    rig.put_key("train.csv")
    rig.put_key("train/train.csv")
    with pytest.raises(InvalidRequest, match="in the way"):
        rig.show(uri="s3://bucket/train")


# Shards and groups.


@pytest.mark.parametrize("no_overlay", ["", NO_OVERLAY])
def test_objects_are_dealt_to_the_hosts_in_the_order_of_their_keys(
    rig: Rig, no_overlay: str
) -> None:
    rig.put(a="1", b="2", c="3", d="4", e="5")
    seen = []
    for n in (1, 2, 3):
        asked: dict[str, Any] = {"hosts": 3, "distribution": "ShardedByS3Key"}
        folder = rig.copied(n, **asked) if no_overlay else rig.lower(n, **asked)
        seen.append(tree(folder))
    assert seen == [{"a": "1", "d": "4"}, {"b": "2", "e": "5"}, {"c": "3"}]


def test_a_host_that_gets_no_object_has_an_empty_folder_and_is_told(rig: Rig) -> None:
    rig.put(a="1")
    shown = rig.show(2, hosts=2, distribution="ShardedByS3Key")
    assert shown.overlay is not None
    assert tree(Path(shown.overlay.lower)) == {}
    assert "algo-2 got no object" in shown.notes[0]


def test_only_hosts_of_a_channels_groups_share_it_out(rig: Rig) -> None:
    rig.put(a="1", b="2")
    asked = a_channel("training", groups=("gpu",), distribution="ShardedByS3Key")
    cluster = Cluster.of_groups([("cpu", "local", 1), ("gpu", "local", 2)])
    order = an_order(channels=(asked,), cluster=cluster)
    channels = Channels(Artifacts(rig.buckets), order, rig.paths)
    assert [order.channels_of(host) for host in cluster.hosts] == [(), (asked,), (asked,)]
    seen = []
    for host in cluster.hosts[1:]:
        overlay = channels.show(asked, host, rig.folder(host.name)).overlay
        assert overlay is not None
        seen.append(tree(Path(overlay.lower)))
    assert seen == [{"a": "1"}, {"b": "2"}]


# Manifests.


@pytest.mark.parametrize("no_overlay", ["", NO_OVERLAY])
def test_a_manifest_names_its_objects(rig: Rig, no_overlay: str) -> None:
    rig.put(a="1", b="2")
    rig.put_key("training/deep/c", b"3")
    asked: dict[str, Any] = {
        "uri": a_manifest(rig, "b", "deep/c"),
        "data_type": "ManifestFile",
    }
    folder = rig.copied(**asked) if no_overlay else rig.lower(**asked)
    assert tree(folder) == {"b": "2", "deep/c": "3"}


def test_a_manifest_of_this_machine_names_files(rig: Rig) -> None:
    (rig.root / "a").write_text("1")
    manifest = rig.root / "list"
    manifest.write_text(json.dumps([{"prefix": rig.root.as_uri()}, "a"]))
    assert tree(rig.lower(uri=manifest.as_uri(), data_type="ManifestFile")) == {"a": "1"}


def test_what_a_manifest_names_must_be_there(rig: Rig) -> None:
    rig.put(a="1")
    with pytest.raises(InvalidRequest, match='S3 URL "s3://bucket/training/gone" given'):
        rig.show(uri=a_manifest(rig, "a", "gone"), data_type="ManifestFile")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "begins with"),
        ('["a"]', "begins with"),
        ('[{"prefix": "s3://bucket/"}]', "names no objects"),
        ('[{"prefix": "s3://bucket/"}, 1]', "something else than names"),
        ('[{"prefix": "http://x/"}, "a"]', "neither an s3://"),
        ('[{"prefix": "file:///etc/"}, "hosts"]', "lies in S3 and names files of this machine"),
        ('[{"prefix": "s3://bucket/training/"}, "../a"]', "cannot be a file's name"),
    ],
)
def test_a_manifest_that_is_none_is_refused(rig: Rig, text: str, said: str) -> None:
    rig.put(a="1")
    rig.put_key("a")
    rig.put_key("training/../a")
    rig.put_key("list", text.encode())
    with pytest.raises(InvalidRequest, match=said):
        rig.show(uri="s3://bucket/list", data_type="ManifestFile")


# Gzip.


@pytest.mark.parametrize("no_overlay", ["", NO_OVERLAY])
def test_gzip_objects_are_unpacked_once_and_lose_their_suffix(rig: Rig, no_overlay: str) -> None:
    twice = gzip.compress(gzip.compress(b"rows"))
    two_members = gzip.compress(b"1") + gzip.compress(b"2")
    rig.put(a__csv__gz=two_members, b=gzip.compress(b"3"), plain__gz="not gzip", c__gz=twice)
    folder = rig.copied(compression="Gzip") if no_overlay else rig.lower(compression="Gzip")
    assert {path.name for path in folder.iterdir()} == {"a.csv", "b", "plain.gz", "c"}
    assert (folder / "a.csv").read_bytes() == b"12"
    assert (folder / "b").read_bytes() == b"3"
    assert (folder / "plain.gz").read_bytes() == b"not gzip"
    assert gzip.decompress((folder / "c").read_bytes()) == b"rows"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[:-6] + bytes([data[-6] ^ 1]) + data[-5:], r"corrupt archive \(CRC\)"),
        (lambda data: data[:-3], "truncated"),
        (lambda data: data + b"rubbish", "corrupt"),
    ],
)
def test_a_damaged_gzip_object_fails_with_its_name(rig: Rig, damage: object, said: str) -> None:
    assert callable(damage)
    rig.put(good__gz=gzip.compress(b"1"), bad__gz=damage(gzip.compress(b"2" * 1000)))
    with pytest.raises(UnsafeArchive, match=f"bad.gz was refused: .*{said}"):
        rig.show(compression="Gzip")
    assert list((rig.paths.root / "views").iterdir()) == []


def test_a_bomb_fails(rig: Rig) -> None:
    rig.put(bomb__gz=gzip.compress(bytes(300 * 2**20), 1))
    with pytest.raises(UnsafeArchive, match="exceeds 200 times its own size"):
        rig.show(compression="Gzip")


# Afterwards.


def test_a_shuffle_is_accepted_and_said_to_have_no_effect(rig: Rig) -> None:
    rig.put(a="1")
    assert "ShuffleConfig has no effect" in rig.show(shuffle_seed=3).notes[0]


def test_nothing_is_left_of_an_ended_jobs_inputs(rig: Rig) -> None:
    rig.put(a="1")
    shown = rig.show()
    assert shown.overlay is not None
    closed = Path(shown.overlay.work, "work")
    closed.mkdir(mode=0)
    kept = rig.folder().tree.model / "model.pt"
    kept.parent.mkdir(parents=True)
    kept.write_text("model")
    remove_inputs(rig.paths)
    remove_inputs(rig.paths)
    assert [path for path in rig.paths.root.rglob("*") if path.is_file()] == [kept]
    assert rig.buckets.path("bucket", "training/a").read_text() == "1"
