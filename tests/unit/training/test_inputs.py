"""What is copied into a host's tree: the source."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import S3Uri
from sagelet.errors import ModelDataMissing, UnsafeArchive
from sagelet.training.inputs import fetch_source


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
