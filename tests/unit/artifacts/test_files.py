import io
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import FileUri, S3Uri
from sagelet.errors import BucketNotFound, InvalidRequest, ModelDataMissing


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    buckets = Buckets(tmp_path / "buckets")
    buckets.create_bucket("data")
    return buckets


@pytest.fixture
def artifacts(buckets: Buckets) -> Artifacts:
    return Artifacts(buckets)


def fill(buckets: Buckets, *keys: str) -> None:
    for key in keys:
        buckets.put("data", key, io.BytesIO(key.encode()))


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def test_an_objects_path_is_its_file(buckets: Buckets, artifacts: Artifacts) -> None:
    fill(buckets, "m/model.tar.gz")
    path = artifacts.local_path(S3Uri("data", "m/model.tar.gz"))
    assert path.read_text() == "m/model.tar.gz"
    assert not artifacts.is_folder(S3Uri("data", "m/model.tar.gz"))


@pytest.mark.parametrize("key", ["m", "m/", ""])
def test_a_prefixs_path_is_its_folder(buckets: Buckets, artifacts: Artifacts, key: str) -> None:
    fill(buckets, "m/a", "m/b")
    assert artifacts.is_folder(S3Uri("data", key))


def test_a_file_uri_is_its_own_path(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert artifacts.local_path(FileUri(tmp_path / "model")) == tmp_path / "model"
    assert artifacts.is_folder(FileUri(tmp_path / "model"))


def test_nothing_at_a_uri_is_missing_model_data(artifacts: Artifacts, tmp_path: Path) -> None:
    for uri in (S3Uri("data", "x"), S3Uri("none", "x"), FileUri(tmp_path / "x"), S3Uri("..", "x")):
        with pytest.raises(ModelDataMissing):
            artifacts.local_path(uri)
        with pytest.raises(ModelDataMissing):
            artifacts.is_folder(uri)
        with pytest.raises(ModelDataMissing):
            artifacts.copy_prefix(uri, tmp_path / "into")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("train", {"a.csv", "deep", "deep/b.csv", "train.csv"}),
        ("train/", {"a.csv", "deep", "deep/b.csv"}),
        ("train/de", {"deep", "deep/b.csv"}),
        ("train.csv", {"train.csv"}),
        ("", {"train", "train/a.csv", "train/deep", "train/deep/b.csv", "train.csv", "test"}),
    ],
)
def test_a_channel_is_what_its_prefix_names(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path, prefix: str, expected: set[str]
) -> None:
    fill(buckets, "train/a.csv", "train/deep/b.csv", "train.csv", "test")
    count = artifacts.copy_prefix(S3Uri("data", prefix), tmp_path / "into")
    assert set(tree(tmp_path / "into")) == expected
    assert count == sum(path.is_file() for path in (tmp_path / "into").rglob("*"))


def test_a_channel_may_have_more_keys_than_a_page(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path
) -> None:
    folder = buckets.root / "data" / "many"
    folder.mkdir()
    for number in range(1100):
        (folder / str(number)).touch()
    assert artifacts.copy_prefix(S3Uri("data", "many/"), tmp_path / "into") == 1100


def test_a_copy_is_not_the_original(buckets: Buckets, artifacts: Artifacts, tmp_path: Path) -> None:
    fill(buckets, "c/a")
    artifacts.copy_prefix(S3Uri("data", "c/"), tmp_path / "into")
    with (tmp_path / "into" / "a").open("a") as file:
        file.write("changed")
    assert buckets.path("data", "c/a").read_text() == "c/a"


def test_folder_markers_become_folders_and_count_as_no_file(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path
) -> None:
    fill(buckets, "c/", "c/sub/", "c/x")
    assert artifacts.copy_prefix(S3Uri("data", "c/"), tmp_path / "into") == 1
    assert tree(tmp_path / "into") == {"sub": "", "x": "c/x"}


@pytest.mark.parametrize(
    "keys", [("c/../evil",), ("c/a", "c/a/b"), ("c/a/b", "c/a//b"), ("c/n\0l",)]
)
def test_keys_that_cannot_be_files_are_refused(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path, keys: tuple[str, ...]
) -> None:
    fill(buckets, *keys)
    with pytest.raises(InvalidRequest):
        artifacts.copy_prefix(S3Uri("data", "c/"), tmp_path / "in" / "to")
    assert not (tmp_path / "in" / "evil").exists()


def test_a_folder_or_a_file_of_this_machine_may_be_a_channel(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a").write_text("1")
    (source / "link").symlink_to("deep/a")
    assert artifacts.copy_prefix(FileUri(source), tmp_path / "one") == 2
    assert tree(tmp_path / "one") == {"deep": "", "deep/a": "1", "link": "1"}
    assert not (tmp_path / "one" / "link").is_symlink()
    assert artifacts.copy_prefix(FileUri(source / "deep" / "a"), tmp_path / "two") == 1
    assert tree(tmp_path / "two") == {"a": "1"}


def test_an_upload_appears_under_its_uri(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path
) -> None:
    (tmp_path / "model.tar.gz").write_text("packed")
    artifacts.upload(tmp_path / "model.tar.gz", S3Uri("data", "job/output/model.tar.gz"))
    assert buckets.path("data", "job/output/model.tar.gz").read_text() == "packed"
    artifacts.upload(tmp_path / "model.tar.gz", FileUri(tmp_path / "out" / "model.tar.gz"))
    assert tree(tmp_path / "out") == {"model.tar.gz": "packed"}


def test_a_folder_is_uploaded_file_by_file(
    buckets: Buckets, artifacts: Artifacts, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a").write_text("1")
    (source / "b").write_text("2")
    artifacts.upload(source, S3Uri("data", "out"))
    assert [s.key for s in buckets.list("data").objects] == ["out/b", "out/deep/a"]
    artifacts.upload(source, FileUri(tmp_path / "copy"))
    assert tree(tmp_path / "copy") == {"b": "2", "deep": "", "deep/a": "1"}


def test_an_upload_to_a_missing_bucket_fails(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(BucketNotFound):
        artifacts.upload(tmp_path / "x", S3Uri("none", "x"))
