"""The folder that holds only our package."""

from __future__ import annotations

from pathlib import Path

import pytest

import sagelet
from sagelet.errors import StateError
from sagelet.supervision.package_path import ensure


def test_the_folder_holds_the_package_that_runs_and_nothing_else(tmp_path: Path) -> None:
    folder = ensure(tmp_path / "state" / "pythonpath")

    assert [path.name for path in folder.iterdir()] == ["sagelet"]
    assert (folder / "sagelet").resolve() == Path(sagelet.__file__).resolve().parent


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    first = (ensure(tmp_path / "p") / "sagelet").lstat()
    assert (ensure(tmp_path / "p") / "sagelet").lstat() == first


@pytest.mark.parametrize("was", ["link", "dangling", "folder"])
def test_what_another_release_left_is_replaced(tmp_path: Path, was: str) -> None:
    old = tmp_path / "p" / "sagelet"
    old.parent.mkdir()
    if was == "folder":
        old.mkdir()
        (old / "__init__.py").touch()
    else:
        (tmp_path / "elsewhere").mkdir()
        old.symlink_to(tmp_path / ("elsewhere" if was == "link" else "gone"))

    ensure(tmp_path / "p")

    assert old.resolve() == Path(sagelet.__file__).resolve().parent


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    with pytest.raises(StateError, match="holds torch"):
        ensure(tmp_path)


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "p").touch()
    with pytest.raises(StateError, match="File exists"):
        ensure(tmp_path / "p")
