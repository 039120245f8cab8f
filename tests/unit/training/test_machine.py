"""What a job finds on this machine."""

from __future__ import annotations

from pathlib import Path

from sagelet.training.machine import look_around, torch_version


def test_the_torch_version_is_read_from_the_interpreters_files(tmp_path: Path) -> None:
    torch = tmp_path / "lib" / "python3.11" / "site-packages" / "torch"
    torch.mkdir(parents=True)
    (torch / "version.py").write_text("from typing import Optional\n__version__ = '2.13.0+cpu'\n")
    assert torch_version(tmp_path / "bin" / "python") == "2.13.0+cpu"


def test_without_torch_there_is_no_version(tmp_path: Path) -> None:
    assert torch_version(tmp_path / "bin" / "python") == ""


def test_gpus_are_counted_by_their_devices(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    machine = look_around(tmp_path / "bin" / "python", devices=tmp_path)
    assert machine.gpus == 2
    assert machine.cpus >= 1
