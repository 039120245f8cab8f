"""What is in archives and folders, however large, damaged or hostile they are."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uris import FileUri, S3Uri
from sagelet.errors import KeyNotFound, ModelDataMissing
from sagelet.web.names import visible
from sagelet.web.trees import MEMBERS_AT_MOST, PREVIEW_BYTES, Trees
from tests import archives


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(Artifacts(Buckets(tmp_path / "buckets")))


def an_archive(path: Path, files: Mapping[str, bytes]) -> FileUri:
    path.write_bytes(archives.an_archive(files))
    return FileUri(path)


def test_an_archive_is_a_tree_whose_folders_know_their_sizes(trees: Trees, tmp_path: Path) -> None:
    files = {"./model.pt": b"x" * 100, "code/inference.py": b"abc", "code/lib/a.py": b"de"}
    found = trees.listing(an_archive(tmp_path / "model.tar.gz", files))
    assert found.is_archive
    assert (found.root.count, found.root.size_bytes) == (3, 105)
    assert [file.name for file in found.root.files] == ["model.pt"]
    code = found.root.folders["code"]
    assert (code.count, code.size_bytes, sorted(code.folders)) == (2, 5, ["lib"])
    assert found.names == {"model.pt", "code/inference.py", "code/lib/a.py"}


def test_a_folder_is_listed_through_links_but_not_for_ever(trees: Trees, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "a.py").write_text("x = 1")
    (folder / "again").symlink_to(folder, target_is_directory=True)
    found = trees.listing(FileUri(folder))
    assert found.names == {"code/a.py"}
    assert not found.is_archive


def test_the_objects_below_a_prefix_are_a_folder(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path / "buckets")
    buckets.create_bucket("models")
    buckets.put("models", "digits/code/a.py", io.BytesIO(b"x = 1"))
    trees = Trees(Artifacts(buckets))
    for key in ("digits", "digits/"):
        assert trees.listing(S3Uri("models", key)).names == {"code/a.py"}
    assert trees.preview(S3Uri("models", "digits"), "code/a.py").text == "x = 1"


def test_of_very_many_members_the_first_are_listed(trees: Trees, tmp_path: Path) -> None:
    path = tmp_path / "many.tar.gz"
    blocks = b"".join(tarfile.TarInfo(f"f{n}").tobuf() for n in range(MEMBERS_AT_MOST + 100))
    path.write_bytes(gzip.compress(blocks + b"\0" * 1024, 1))
    found = trees.listing(FileUri(path))
    assert found.is_cut
    assert found.root.count == MEMBERS_AT_MOST


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b"])
def test_an_archive_that_leads_outside_is_told_of(trees: Trees, tmp_path: Path, name: str) -> None:
    found = trees.listing(an_archive(tmp_path / "model.tar.gz", {"ok.txt": b"x", name: b"x"}))
    assert "unsafe path" in found.refused
    assert found.names == {"ok.txt"}


def test_a_bomb_is_not_unpacked(trees: Trees, tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    info = tarfile.TarInfo("zeros")
    info.size = 400 * 2**20
    zeros = gzip.compress(bytes(2**20), 1)
    path.write_bytes(gzip.compress(info.tobuf()) + zeros * 400)
    assert "times its own size" in trees.listing(FileUri(path)).refused


def test_what_is_no_archive_is_told_of(trees: Trees, tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"<script>")
    assert trees.listing(FileUri(path)).refused
    path.write_bytes(gzip.compress(b"<script>")[:-4])
    assert trees.listing(FileUri(path)).refused
    with pytest.raises(KeyNotFound):
        trees.preview(FileUri(path), "x")
    with pytest.raises(ModelDataMissing):
        trees.listing(FileUri(tmp_path / "nowhere"))


def test_the_beginning_of_a_text_is_shown_and_nothing_of_other_files(
    trees: Trees, tmp_path: Path
) -> None:
    long = "é" * PREVIEW_BYTES
    uri = an_archive(
        tmp_path / "model.tar.gz",
        {"a.py": b"x = 1\n", "long.txt": long.encode(), "model.pt": b"\x80\x02\x00}"},
    )
    assert trees.preview(uri, "a.py").text == "x = 1\n"
    cut = trees.preview(uri, "long.txt")
    assert cut.is_cut
    assert cut.text == long[: PREVIEW_BYTES // 2]
    assert trees.preview(uri, "model.pt").text is None
    for name in ("nothing", "../a.py", ""):
        with pytest.raises(KeyNotFound):
            trees.preview(uri, name)


def test_a_file_outside_of_a_folder_is_not_shown(trees: Trees, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "model").mkdir()
    for name in ("../secret", str(tmp_path / "secret"), "x/../../secret"):
        with pytest.raises(KeyNotFound):
            trees.preview(FileUri(tmp_path / "model"), name)


def test_names_can_be_told_apart(tmp_path: Path) -> None:
    assert visible("code/été.py") == "code/été.py"
    assert visible("a\u202egnp.exe") == "a\\u202egnp.exe"
    assert visible("a\x1b[31m\n") == "a\\x1b[31m\\n"
    assert visible(os.fsdecode(b"\xff.py")) == "\\udcff.py"
    assert len(visible("x" * 10_000)) == 301
