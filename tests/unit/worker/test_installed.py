"""Fingerprints of installed packages."""

from __future__ import annotations

import os
from pathlib import Path

from sagelet.worker.installed import fingerprint, folders


def test_an_installed_removed_or_replaced_package_changes_the_fingerprint(tmp_path: Path) -> None:
    seen = [fingerprint([str(tmp_path)])]
    (tmp_path / "a-1.0.dist-info").mkdir()
    seen.append(fingerprint([str(tmp_path)]))
    (tmp_path / "a-1.0.dist-info").rename(tmp_path / "a-1.1.dist-info")
    seen.append(fingerprint([str(tmp_path)]))
    (tmp_path / "editable.pth").write_text("/src\n")
    seen.append(fingerprint([str(tmp_path)]))
    os.utime(tmp_path / "a-1.1.dist-info", (1, 1))
    seen.append(fingerprint([str(tmp_path)]))

    assert len(set(seen)) == len(seen)


def test_compiled_files_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    before = fingerprint([str(tmp_path)])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "six.py").touch()

    assert fingerprint([str(tmp_path)]) == before


def test_a_folder_that_is_not_there_has_a_fingerprint_too(tmp_path: Path) -> None:
    assert fingerprint([str(tmp_path / "nowhere")]) == fingerprint([])


def test_this_interpreter_has_a_folder_of_packages() -> None:
    assert any(Path(folder, "pytest").is_dir() for folder in folders())
