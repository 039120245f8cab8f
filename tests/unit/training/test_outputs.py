"""What a job leaves behind, by status and compression."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import SecondaryStatus
from sagelet.errors import BucketNotFound
from sagelet.training.order import JobOrder, JobPaths
from sagelet.training.outputs import Outputs
from tests.training_builders import an_order

COMPLETED = SecondaryStatus.COMPLETED
BASE = "s3://bucket/out/digits/output"


class Left:
    """A job's folders, and where they are stored."""

    def __init__(self, root: Path) -> None:
        self.root = root
        buckets = Buckets(root / "buckets")
        buckets.create_bucket("bucket")
        self.artifacts = Artifacts(buckets)
        self.models = {"algo-1": root / "algo-1" / "model"}
        self.outputs = {"algo-1": root / "algo-1" / "output"}
        self.said: list[str] = []
        for folder in (*self.models.values(), *self.outputs.values()):
            folder.mkdir(parents=True)

    def add_host(self, files: Mapping[str, str]) -> None:
        """Another host, that wrote these files to its model."""
        name = f"algo-{len(self.models) + 1}"
        self.models[name] = self.root / name / "model"
        for path, text in files.items():
            file = self.models[name] / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def store(self, status: SecondaryStatus, order: JobOrder | None = None) -> str | None:
        paths = JobPaths(self.root / "job")
        outputs = Outputs(self.artifacts, order or an_order(), paths, self.said.append)
        return outputs.store(status, models=self.models, outputs=self.outputs)

    def stored(self, key: str) -> Path | None:
        uri = S3Uri("bucket", f"out/digits/output/{key}")
        folder = self.artifacts.local_path(S3Uri("bucket", ""))
        return self.artifacts.local_path(uri) if (folder / uri.key).exists() else None

    def members(self, key: str) -> dict[str, bytes]:
        path = self.stored(key)
        assert path is not None
        with tarfile.open(path) as tar:
            files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
            return {name: file.read() for name, file in files.items() if file is not None}


@pytest.fixture
def left(tmp_path: Path) -> Left:
    left = Left(tmp_path)
    (left.models["algo-1"] / "model.pth").write_text("weights")
    (left.models["algo-1"] / "code").mkdir()
    (left.models["algo-1"] / "code" / "inference.py").write_text("handlers")
    (left.outputs["algo-1"] / "report.txt").write_text("all well")
    return left


def test_a_completed_job_leaves_both_archives(left: Left) -> None:
    assert left.store(COMPLETED) == f"{BASE}/model.tar.gz"
    assert left.members("model.tar.gz") == {
        "code/inference.py": b"handlers",
        "model.pth": b"weights",
    }
    assert left.members("output.tar.gz") == {"report.txt": b"all well"}


def test_nothing_is_left_of_the_packing(left: Left) -> None:
    left.store(COMPLETED)
    assert not (left.root / "job" / "packing").exists()


def test_an_empty_model_of_a_completed_job_is_an_empty_archive(tmp_path: Path) -> None:
    left = Left(tmp_path)
    assert left.store(COMPLETED) == f"{BASE}/model.tar.gz"
    assert left.members("model.tar.gz") == {}
    assert left.members("output.tar.gz") == {}


@pytest.mark.parametrize("status", [SecondaryStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED])
def test_a_stopped_job_leaves_its_model_if_it_has_one(
    left: Left, status: SecondaryStatus, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert left.store(status) == f"{BASE}/model.tar.gz"
    empty = Left(tmp_path_factory.mktemp("empty"))
    assert empty.store(status) is None
    assert empty.stored("model.tar.gz") is None
    assert empty.stored("output.tar.gz") is not None


def test_a_failed_job_leaves_its_output_only(left: Left) -> None:
    assert left.store(SecondaryStatus.FAILED) is None
    assert left.stored("model.tar.gz") is None
    assert left.members("output.tar.gz") == {"report.txt": b"all well"}


def test_without_compression_the_files_lie_under_prefixes(left: Left) -> None:
    order = replace(an_order(), is_compressed=False)
    assert left.store(COMPLETED, order) == f"{BASE}/model/"
    assert left.stored("model/code/inference.py") is not None
    assert left.stored("output/report.txt") is not None
    assert left.stored("model.tar.gz") is None


def test_a_folder_of_this_machine_takes_the_archives(left: Left, tmp_path: Path) -> None:
    target = tmp_path / "my results"
    uri = left.store(COMPLETED, replace(an_order(), output_uri=target.as_uri()))
    archive = target / "digits" / "output" / "model.tar.gz"
    assert uri == archive.as_uri()
    assert archive.is_file()
    assert (archive.parent / "output.tar.gz").is_file()


def test_the_trees_of_hosts_are_merged_and_clashes_are_told(left: Left) -> None:
    left.add_host({"model.pth": "other weights", "code/more.py": "more"})
    left.add_host({"model.pth": "third weights"})
    left.store(COMPLETED)
    assert left.members("model.tar.gz") == {
        "code/inference.py": b"handlers",
        "code/more.py": b"more",
        "model.pth": b"third weights",
    }
    assert left.said == [
        "WARNING: model.tar.gz: model.pth was written by algo-1, algo-2 and algo-3; "
        "that of algo-3 is kept"
    ]


def test_a_file_that_is_a_folder_on_another_host_gives_way(left: Left) -> None:
    left.add_host({"code": "a file", "model.pth/0": "a shard"})
    left.store(COMPLETED)
    assert left.members("model.tar.gz") == {
        "code/inference.py": b"handlers",
        "model.pth/0": b"a shard",
    }
    assert len(left.said) == 2


def test_of_very_many_clashes_only_some_are_named(left: Left) -> None:
    for _ in range(2):
        left.add_host({f"shard-{number}": "x" for number in range(30)})
    left.store(COMPLETED)
    assert len(left.said) == 11
    assert left.said[-1] == ("WARNING: model.tar.gz: more paths were written by several hosts")


def test_a_missing_bucket_is_told(left: Left) -> None:
    with pytest.raises(BucketNotFound):
        left.store(COMPLETED, replace(an_order(), output_uri="s3://no-bucket/out"))
    assert not (left.root / "job" / "packing").exists()
