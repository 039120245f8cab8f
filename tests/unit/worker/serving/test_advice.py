"""Advice on errors of loading: each is brought about for real."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sagelet.worker.serving.advice import advice


def error_of(action: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  which one it is, is torch's choice
        action()
    return caught.value


def net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, 2))


def test_weights_of_a_distributed_model_are_recognized_by_their_prefix(tmp_path: Path) -> None:
    weights = {f"module.{name}": value for name, value in net().state_dict().items()}
    said = advice(error_of(lambda: net().load_state_dict(weights)), str(tmp_path))
    assert "DistributedDataParallel" in said
    assert "removeprefix('module.')" in said


def test_weights_of_a_bare_model_are_recognized_in_a_wrapped_one(tmp_path: Path) -> None:
    wrapped = torch.nn.DataParallel(net())
    said = advice(error_of(lambda: wrapped.load_state_dict(net().state_dict())), str(tmp_path))
    assert "before it is wrapped" in said


def test_weights_of_another_class_name_the_class(tmp_path: Path) -> None:
    weights = {"0.weight": torch.zeros(3, 2), "0.bias": torch.zeros(2)}
    said = advice(error_of(lambda: net().load_state_dict(weights)), str(tmp_path))
    assert said == "Sequential is not built as the model was that these weights are of"


def test_weights_from_a_gpu_are_told_to_map(tmp_path: Path) -> None:
    torch.save(net().state_dict(), tmp_path / "cpu.pt")
    with (
        zipfile.ZipFile(tmp_path / "cpu.pt") as saved,
        zipfile.ZipFile(tmp_path / "cuda.pt", "w") as made,
    ):
        for name in saved.namelist():
            data = saved.read(name)
            # A storage's place is a pickled string: its length, then its text.
            made.writestr(name, data.replace(b"\x03\0\0\0cpu", b"\x06\0\0\0cuda:0"))
    if torch.cuda.is_available():
        pytest.skip("a GPU takes them")
    said = advice(error_of(lambda: torch.load(tmp_path / "cuda.pt")), str(tmp_path))
    assert said == "give torch.load map_location='cpu'"


def test_a_whole_model_is_told_to_save_its_weights(tmp_path: Path) -> None:
    torch.save(net(), tmp_path / "whole.pt")
    said = advice(error_of(lambda: torch.load(tmp_path / "whole.pt")), str(tmp_path))
    assert "state_dict()" in said
    assert "weights_only=False" in said


def test_a_whole_model_of_a_scripts_own_class_names_the_class(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\n\nclass Net(torch.nn.Module):\n    pass\n\ntorch.save(Net(), 'main.pt')\n"
    )
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True)
    loaded = error_of(lambda: torch.load(tmp_path / "main.pt", weights_only=False))
    assert "whose class Net was defined in the training script" in advice(loaded, str(tmp_path))


@pytest.mark.parametrize("how", ["cut", "html"])
def test_a_file_that_is_no_checkpoint_is_called_damaged(tmp_path: Path, how: str) -> None:
    file = tmp_path / "model.pt"
    torch.save(net().state_dict(), file)
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "html": b"<html>" * 99}[how])
    error = error_of(lambda: torch.load(file))
    assert "damaged" in advice(error, str(tmp_path)), repr(error)


def test_an_empty_file_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "model.pt").touch()
    error = error_of(lambda: torch.load(tmp_path / "model.pt"))
    assert advice(error, str(tmp_path)) == "a file that was to be read is empty, or was cut short"


@pytest.mark.parametrize(
    ("module", "package"), [("sklearn_not_there", "sklearn_not_there"), ("yaml.none", "PyYAML")]
)
def test_a_module_that_is_missing_belongs_into_requirements(
    tmp_path: Path, module: str, package: str
) -> None:
    error = error_of(lambda: importlib.import_module(module))
    assert advice(error, str(tmp_path)).startswith(f"add {package} to requirements.txt")


def test_a_name_that_a_package_lacks_tells_its_version(tmp_path: Path) -> None:
    def from_torch() -> None:
        from torch.nn import NoSuchThing  # type: ignore[attr-defined]  # noqa: F401 - the point

    version = importlib.metadata.version("torch")
    assert advice(error_of(from_torch), str(tmp_path)) == (
        f"torch {version} is installed; the code was written for another version of it"
    )
    assert advice(ImportError("no", name="a module of mine"), str(tmp_path)) == ""


def test_want_of_memory_is_told_what_helps(tmp_path: Path) -> None:
    for error in (MemoryError(), error_of(lambda: torch.ones(2**60, dtype=torch.int8))):
        assert advice(error, str(tmp_path)).startswith("it is out of memory: every worker loads")


def test_a_file_in_another_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.pth").touch()
    error = error_of((tmp_path / "model.pth").read_bytes)
    assert advice(error, str(tmp_path)) == "model.pth lies at model/model.pth in the model's folder"


def test_what_a_folder_holds_instead_is_shown(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").touch()
    error = error_of((tmp_path / "model.pth").read_bytes)
    assert advice(error, str(tmp_path)) == "the model's folder holds weights.bin"


def test_an_error_of_the_users_own_gets_none(tmp_path: Path) -> None:
    assert advice(ValueError("no weights"), str(tmp_path)) == ""
    assert advice(ModuleNotFoundError("odd"), str(tmp_path)) == ""
