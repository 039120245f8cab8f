"""Modules that a folder hides."""

from __future__ import annotations

from pathlib import Path

from sagelet.worker.shadowing import imported, shadowed

MODULES = {"torch", "numpy", "queue", "json", "os"}


def test_files_packages_and_libraries_of_the_same_name_hide_a_module(tmp_path: Path) -> None:
    (tmp_path / "queue.py").touch()
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").touch()
    (tmp_path / "json.cpython-311-x86_64-linux-gnu.so").touch()

    assert shadowed(str(tmp_path), MODULES) == ["json", "numpy", "queue"]


def test_a_folder_of_data_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "numpy.txt").touch()
    (tmp_path / "train.py").touch()

    assert shadowed(str(tmp_path), MODULES) == []


def test_what_python_itself_starts_with_cannot_be_hidden(tmp_path: Path) -> None:
    (tmp_path / "os.py").touch()

    assert shadowed(str(tmp_path), MODULES) == []


def test_a_folder_that_is_not_there_hides_nothing(tmp_path: Path) -> None:
    assert shadowed(str(tmp_path / "nowhere"), MODULES) == []


def test_built_in_modules_and_our_own_do_not_count_as_imported() -> None:
    assert not imported() & {"sys", "builtins", "time", "os", "sagelet", "__main__"}
    assert "pathlib" in imported()
