from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.artifacts.archives import pack
from sagelet.deploy.remote import WantedJob
from sagelet.deploy.trained import model_folder
from sagelet.errors import InvalidRequest, ModelDataMissing
from tests.fakes import FakeRemote

ENDPOINT = "classifier"


def an_archive(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    (source / "model.pth").write_bytes(b"weights")
    pack(source, folder / "model.tar.gz")
    return folder / "model.tar.gz"


def a_job(name: str) -> WantedJob:
    return WantedJob(
        name,
        "image",
        "role",
        "train.py",
        "s3://b/s",
        "s3://b/o",
        "us-east-1",
        "local",
        1,
        {},
        {},
        {},
    )


def resolved(where: str, project: Path, remote: FakeRemote | None = None) -> Path:
    return model_folder(
        where,
        remote=remote or FakeRemote(),
        endpoint=ENDPOINT,
        project=project,
        work=project / ".sagelet/local/models",
    )


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "best").mkdir()
    assert resolved("best", tmp_path) == tmp_path / "best"


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    an_archive(tmp_path)
    folder = resolved("model.tar.gz", tmp_path)
    assert (folder / "model.pth").read_bytes() == b"weights"
    assert resolved("model.tar.gz", tmp_path) == folder


def test_an_archive_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelDataMissing, match=r"nothing\.tar\.gz"):
        resolved("nothing.tar.gz", tmp_path)


def test_a_job_stands_for_what_it_made(tmp_path: Path) -> None:
    remote = FakeRemote()
    remote.jobs["classifier-1"] = a_job("classifier-1")
    remote.objects["artifacts", "classifier-1/model.tar.gz"] = an_archive(tmp_path).read_bytes()
    folder = resolved("classifier-1", tmp_path, remote)
    assert (folder / "model.pth").read_bytes() == b"weights"
    assert resolved("latest", tmp_path, remote) == folder
    assert resolved("s3://artifacts/classifier-1/model.tar.gz", tmp_path, remote) == folder


def test_a_name_that_is_nothing_says_what_it_could_have_been(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"is no folder, no \.tar\.gz, and no training"):
        resolved("nothing", tmp_path)


def test_the_latest_job_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no training job of classifier has completed"):
        resolved("latest", tmp_path)
