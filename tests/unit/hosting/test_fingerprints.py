"""Whether a file's content is another than what is served."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagelet.hosting.fingerprints import Fingerprints


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference.py").write_text("a")
    (tmp_path / "model.bin").write_text("b")
    return tmp_path


def differing(prints: Fingerprints, *names: str) -> set[str]:
    paths = [prints.folder / name for name in names]
    return {str(path.relative_to(prints.folder)) for path in prints.differing(paths)}


def test_a_touched_file_does_not_differ(folder: Path) -> None:
    prints = Fingerprints(folder)
    os.utime(folder / "model.bin", (1, 1))
    (folder / "code/inference.py").write_text("a")
    assert differing(prints, "model.bin", "code/inference.py") == set()


def test_changed_new_and_removed_files_differ(folder: Path) -> None:
    prints = Fingerprints(folder)
    (folder / "code/inference.py").write_text("c")
    (folder / "new.txt").write_text("n")
    (folder / "model.bin").unlink()
    everything = ("code/inference.py", "new.txt", "model.bin")
    assert differing(prints, *everything) == set(everything)


def test_a_folder_stands_for_what_is_and_was_in_it(folder: Path) -> None:
    prints = Fingerprints(folder)
    (folder / "code/inference.py").unlink()
    (folder / "code/serve.py").write_text("x")
    assert differing(prints, "code") == {"code/inference.py", "code/serve.py"}
    (folder / "code/serve.py").unlink()
    (folder / "code").rmdir()
    assert differing(prints, "code") == {"code/inference.py"}


def test_an_accepted_change_differs_no_more_and_its_undoing_does(folder: Path) -> None:
    prints = Fingerprints(folder)
    path = folder / "model.bin"
    path.write_text("c")
    prints.accept(prints.differing([path]))
    assert differing(prints, "model.bin") == set()
    path.write_text("b")
    assert differing(prints, "model.bin") == {"model.bin"}


def test_an_accepted_removal_is_forgotten(folder: Path) -> None:
    prints = Fingerprints(folder)
    (folder / "model.bin").unlink()
    prints.accept(prints.differing([folder / "model.bin"]))
    assert differing(prints, "model.bin") == set()


def test_an_old_file_that_looks_as_it_did_is_not_read_again_for_its_folder(folder: Path) -> None:
    old = folder / "code/inference.py"
    os.utime(old, (1, 1))
    prints = Fingerprints(folder)
    stat = old.stat()
    old.write_text("b")
    os.utime(old, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert differing(prints, "code") == set()
    assert differing(prints, "code/inference.py") == {"code/inference.py"}


def test_a_young_file_is_read_again_though_it_looks_as_it_did(folder: Path) -> None:
    young = folder / "code/inference.py"
    prints = Fingerprints(folder)
    stat = young.stat()
    young.write_text("b")
    os.utime(young, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert differing(prints, "code") == {"code/inference.py"}


def test_large_files_are_compared_without_being_read(
    folder: Path,
) -> None:
    large = folder / "weights.bin"
    with large.open("wb") as file:
        file.truncate(65 * 2**20)
    prints = Fingerprints(folder)
    assert differing(prints, "weights.bin") == set()
    os.utime(large, (1, 1))
    assert differing(prints, "weights.bin") == {"weights.bin"}


def test_what_editors_and_python_leave_behind_is_not_looked_at(folder: Path) -> None:
    prints = Fingerprints(folder)
    (folder / "code/__pycache__").mkdir()
    (folder / "code/__pycache__/inference.pyc").write_text("x")
    assert differing(prints, "code") == set()
