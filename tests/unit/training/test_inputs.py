"""What is copied into a host's tree: channels and source."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import S3Uri
from sagelet.errors import InvalidRequest, ModelDataMissing, NotSupported, UnsafeArchive
from sagelet.training.inputs import fetch_channel, fetch_source
from tests.training_builders import a_channel


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    buckets = Buckets(tmp_path / "buckets")
    buckets.create_bucket("bucket")
    return buckets


@pytest.fixture
def artifacts(buckets: Buckets) -> Artifacts:
    return Artifacts(buckets)


def stored(artifacts: Artifacts, tmp_path: Path, key: str, text: str) -> None:
    file = tmp_path / "stored"
    file.write_text(text)
    artifacts.upload(file, S3Uri("bucket", key))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_prefix_becomes_a_tree(artifacts: Artifacts, tmp_path: Path) -> None:
    stored(artifacts, tmp_path, "training/a.csv", "1")
    stored(artifacts, tmp_path, "training/deep/b.csv", "2")
    stored(artifacts, tmp_path, "other/c.csv", "3")
    into = tmp_path / "data" / "training"
    assert fetch_channel(artifacts, a_channel("training"), into) == 2
    assert names(into) == ["a.csv", "deep/b.csv"]


def test_a_folder_and_a_single_file_of_this_machine_are_channels(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    (folder / "a.csv").write_text("1")
    uri = folder.as_uri()
    fetch_channel(artifacts, a_channel(uri=uri), tmp_path / "one")
    fetch_channel(artifacts, a_channel(uri=f"{uri}/a.csv"), tmp_path / "two")
    assert names(tmp_path / "one") == names(tmp_path / "two") == ["a.csv"]


def test_a_script_that_writes_to_its_channel_changes_no_original(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    stored(artifacts, tmp_path, "training/a.csv", "1")
    local = tmp_path / "b.csv"
    local.write_text("2")
    fetch_channel(artifacts, a_channel("training"), tmp_path / "data")
    fetch_channel(artifacts, a_channel(uri=local.as_uri()), tmp_path / "data")
    for name in ("a.csv", "b.csv"):
        (tmp_path / "data" / name).write_text("changed")
    assert local.read_text() == "2"
    assert artifacts.local_path(S3Uri("bucket", "training/a.csv")).read_text() == "1"


@pytest.mark.parametrize("uri", ["s3://bucket/none", "s3://no-bucket/x", "file:///no/such/folder"])
def test_a_channel_without_files_is_refused(artifacts: Artifacts, tmp_path: Path, uri: str) -> None:
    with pytest.raises(ModelDataMissing):
        fetch_channel(artifacts, a_channel(uri=uri), tmp_path / "data")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_cannot_be_named_out_of_its_folder(
    artifacts: Artifacts, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InvalidRequest):
        fetch_channel(artifacts, a_channel(name), tmp_path / name)


def test_a_pipe_is_not_served(artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="use File"):
        fetch_channel(artifacts, a_channel(input_mode="Pipe"), tmp_path / "data")


def test_a_source_archive_is_unpacked(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('hello')")
    archive = tmp_path / "sourcedir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "train.py", "train.py")
    artifacts.upload(archive, S3Uri("bucket", "j/source/sourcedir.tar.gz"))
    fetch_source(artifacts, "s3://bucket/j/source/sourcedir.tar.gz", tmp_path / "one")
    fetch_source(artifacts, archive.as_uri(), tmp_path / "two")
    assert names(tmp_path / "one") == names(tmp_path / "two") == ["train.py"]


def test_a_damaged_archive_is_refused_whole(artifacts: Artifacts, tmp_path: Path) -> None:
    archive = tmp_path / "sourcedir.tar.gz"
    archive.write_bytes(b"<html>not an archive</html>")
    with pytest.raises(UnsafeArchive):
        fetch_source(artifacts, archive.as_uri(), tmp_path / "code")
    assert not (tmp_path / "code").exists()


def test_of_a_project_folder_only_what_is_source_is_copied(
    artifacts: Artifacts, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    for name in (
        "train.py",
        "lib/model.py",
        ".git/config",
        "__pycache__/x.pyc",
        ".venv/bin/python",
    ):
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    (project / "gone").symlink_to(project / "nothing")
    fetch_source(artifacts, project.as_uri(), tmp_path / "code")
    assert names(tmp_path / "code") == ["lib/model.py", "train.py"]


def test_a_prefix_and_a_single_script_are_sources(artifacts: Artifacts, tmp_path: Path) -> None:
    stored(artifacts, tmp_path, "src/train.py", "")
    fetch_source(artifacts, "s3://bucket/src/", tmp_path / "one")
    fetch_source(artifacts, "s3://bucket/src/train.py", tmp_path / "two")
    assert names(tmp_path / "one") == names(tmp_path / "two") == ["train.py"]


def test_a_missing_source_is_told(artifacts: Artifacts, tmp_path: Path) -> None:
    with pytest.raises(ModelDataMissing):
        fetch_source(artifacts, "s3://bucket/none.tar.gz", tmp_path / "code")
