"""A model's files, laid out as a worker is to see them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sagelet.artifacts.archives import pack
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.errors import InvalidRequest, ModelDataMissing, UnsafeArchive
from sagelet.hosting.model_data import prepare
from tests.builders import a_model
from tests.serving_projects import write


@pytest.fixture
def buckets(tmp_path: Path) -> Buckets:
    buckets = Buckets(tmp_path / "buckets")
    buckets.create_bucket("models")
    return buckets


def an_archive(tmp_path: Path, files: dict[str, str]) -> Path:
    pack(write(tmp_path / "source", files), tmp_path / "model.tar.gz")
    return tmp_path / "model.tar.gz"


def prepared(tmp_path: Path, buckets: Buckets, url: str | None) -> Path:
    files = prepare(a_model(data_url=url), Artifacts(buckets), tmp_path / "version")
    assert files.opt_ml / "model" == tmp_path / "version/ml/model"
    assert files.root.resolve() == (files.opt_ml / "model").resolve()
    return files.opt_ml / "model"


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_archive_in_a_bucket_is_unpacked(tmp_path: Path, buckets: Buckets) -> None:
    archive = an_archive(tmp_path, {"model.pt": "m", "code/inference.py": "c"})
    buckets.put("models", "a/model.tar.gz", archive)
    model = prepared(tmp_path, buckets, "s3://models/a/model.tar.gz")
    assert names_in(model) == {"model.pt", "code/inference.py"}


def test_an_archive_in_a_folder_is_unpacked_and_not_watched(
    tmp_path: Path, buckets: Buckets
) -> None:
    archive = an_archive(tmp_path, {"model.pt": "m", "code/inference.py": "c"})
    files = prepare(a_model(data_url=f"file://{archive}"), Artifacts(buckets), tmp_path / "v")
    assert files.watched is None
    assert files.has_code


def test_an_only_folder_in_an_archive_is_descended_into(tmp_path: Path, buckets: Buckets) -> None:
    archive = an_archive(tmp_path, {"root/model.pt": "m", "root/code/inference.py": "c"})
    model = prepared(tmp_path, buckets, f"file://{archive}")
    assert names_in(model) == {"model.pt", "code/inference.py"}


def test_a_model_of_nothing_but_code_keeps_its_code(tmp_path: Path, buckets: Buckets) -> None:
    archive = an_archive(tmp_path, {"code/inference.py": "c"})
    assert names_in(prepared(tmp_path, buckets, f"file://{archive}")) == {"code/inference.py"}


def test_a_folder_is_served_from_where_it_is_and_watched(tmp_path: Path, buckets: Buckets) -> None:
    project = write(tmp_path / "project", {"model.pt": "m", "inference.py": "c"})
    files = prepare(a_model(data_url=f"file://{project}"), Artifacts(buckets), tmp_path / "v")
    assert files.watched == project.resolve()
    assert (files.opt_ml / "model").readlink() == project.resolve()
    assert not files.has_code


def test_a_prefix_in_a_bucket_is_copied(tmp_path: Path, buckets: Buckets) -> None:
    for name in ("model.pt", "code/inference.py"):
        source = write(tmp_path / "source", {name: "x"}) / name
        buckets.put("models", f"plain/{name}", source)
    model = prepared(tmp_path, buckets, "s3://models/plain/")
    assert names_in(model) == {"model.pt", "code/inference.py"}


def test_a_model_without_data_has_an_empty_folder(tmp_path: Path, buckets: Buckets) -> None:
    assert names_in(prepared(tmp_path, buckets, None)) == set()


def test_what_an_earlier_try_has_left_is_in_nobodys_way(tmp_path: Path, buckets: Buckets) -> None:
    write(tmp_path / "version", {"unpacked/old": "x", "ml/model/old": "x"})
    archive = an_archive(tmp_path, {"model.pt": "m", "labels.json": "l"})
    assert names_in(prepared(tmp_path, buckets, f"file://{archive}")) == {"model.pt", "labels.json"}


def test_missing_hostile_and_foreign_data_is_refused(tmp_path: Path, buckets: Buckets) -> None:
    hostile = tmp_path / "hostile.tar.gz"
    with tarfile.open(hostile, "w:gz") as archive:
        archive.add(write(tmp_path / "s", {"x": "x"}) / "x", "../evil")
    cases: list[tuple[str, type[Exception]]] = [
        ("s3://models/none.tar.gz", ModelDataMissing),
        (f"file://{tmp_path}/none", ModelDataMissing),
        (f"file://{hostile}", UnsafeArchive),
        ("https://example.com/model.tar.gz", InvalidRequest),
    ]
    for url, error in cases:
        with pytest.raises(error):
            prepare(a_model(data_url=url), Artifacts(buckets), tmp_path / "v")
