"""A model that cannot be loaded: FailureReason tells what is wrong, where, and what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from tests.end_to_end.local_aws import LocalAws
from tests.serving_projects import write

pytestmark = pytest.mark.usefixtures("nothing_lost")

PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
LOADS = """
    import os
    import torch


    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 1)


    def model_fn(model_dir):
        net = Net()
        net.load_state_dict(torch.load(os.path.join(model_dir, "model.pth")))
        return net
"""
LINE = 14


def failure_of(local: LocalAws, name: str, folder: Path) -> list[str]:
    """Deploy a folder, which must fail; return the lines of FailureReason without AWS's own."""
    with local.deployed(name, folder) as endpoint:
        assert endpoint["EndpointStatus"] == "Failed"
    reason: str = endpoint["FailureReason"]
    assert len(reason) <= 1024
    *lines, last = reason.splitlines()
    assert last == PING
    return lines


def weights(folder: Path, name: str = "model.pth", prefix: str = "linear.", wide: int = 2) -> None:
    """Save the weights of a linear model, under names that begin in this way."""
    state = torch.nn.Linear(wide, 1).state_dict()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    torch.save({prefix + key: value for key, value in state.items()}, folder / name)


def test_weights_that_are_not_there_and_what_is_there_instead(
    local: LocalAws, tmp_path: Path
) -> None:
    write(tmp_path, {"code/inference.py": LOADS, "weights.bin": ""})
    said = failure_of(local, "no-weights", tmp_path)
    assert said[0].startswith("FileNotFoundError: [Errno 2] No such file or directory: '")
    assert said[0].endswith(f"/model.pth' at {tmp_path}/code/inference.py:{LINE}")
    assert said[1] == "hint: the model's folder holds code/inference.py, weights.bin"


def test_weights_in_another_folder_are_found(local: LocalAws, tmp_path: Path) -> None:
    write(tmp_path, {"code/inference.py": LOADS})
    weights(tmp_path, "model/model.pth")
    said = failure_of(local, "nested", tmp_path)
    assert said[1] == "hint: model.pth lies at model/model.pth in the model's folder"


def test_weights_without_code_need_code(local: LocalAws, tmp_path: Path) -> None:
    weights(tmp_path)
    said = "\n".join(failure_of(local, "no-code", tmp_path))
    assert (
        "Please ensure model is saved using torchscript.\nWeights alone (a state_dict) say" in said
    )
    assert "they need a model_fn of yours that builds it" in said


def test_a_folder_without_a_model_says_what_it_holds(local: LocalAws, tmp_path: Path) -> None:
    write(tmp_path, {"notes.txt": "later"})
    said = failure_of(local, "no-model", tmp_path)
    assert said[0] == "ValueError: Exactly one .pth or .pt file is required for PyTorch models: []"
    assert " holds notes.txt. Expected is a TorchScript file named model.pt, " in said[1]


@pytest.mark.parametrize(
    ("prefix", "wide", "hint"),
    [
        (
            "module.linear.",
            2,
            "the weights were saved from DistributedDataParallel or DataParallel: load "
            "{name.removeprefix('module.'): value for name, value in state_dict.items()}",
        ),
        ("conv.", 2, "Net is not built as the model was that these weights are of"),
        ("linear.", 3, "Net is not built as the model was that these weights are of"),
    ],
)
def test_weights_of_another_model_say_how_they_differ(
    local: LocalAws, tmp_path: Path, prefix: str, wide: int, hint: str
) -> None:
    write(tmp_path, {"code/inference.py": LOADS})
    weights(tmp_path, prefix=prefix, wide=wide)
    said = failure_of(local, "other-weights", tmp_path)
    assert said[0] == "RuntimeError: Error(s) in loading state_dict for Net:"
    assert f"hint: {hint}" in said


def test_weights_from_a_gpu_are_told_to_map(local: LocalAws, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("a GPU takes them")
    write(tmp_path, {"code/inference.py": LOADS})
    weights(tmp_path, "cpu.bin")
    with (
        zipfile.ZipFile(tmp_path / "cpu.bin") as saved,
        zipfile.ZipFile(tmp_path / "model.pth", "w") as made,
    ):
        for name in saved.namelist():
            # A storage's place is a pickled string: its length, then its text.
            there = saved.read(name).replace(b"\x03\0\0\0cpu", b"\x06\0\0\0cuda:0")
            made.writestr(name, there)
    said = failure_of(local, "from-a-gpu", tmp_path)
    assert "hint: give torch.load map_location='cpu'" in said


def test_weights_that_were_cut_short_are_called_damaged(local: LocalAws, tmp_path: Path) -> None:
    write(tmp_path, {"code/inference.py": LOADS})
    weights(tmp_path)
    whole = (tmp_path / "model.pth").read_bytes()
    (tmp_path / "model.pth").write_bytes(whole[: len(whole) // 2])
    said = failure_of(local, "cut-short", tmp_path)
    assert "hint: the file is damaged, or was not written by torch.save" in said


@pytest.mark.parametrize(
    ("first", "error", "hint"),
    [
        (
            "import sklearn_not_there",
            "ModuleNotFoundError: No module named 'sklearn_not_there'",
            "add sklearn_not_there to requirements.txt beside the handlers, or put the module "
            "there",
        ),
        (
            "from torch.nn import NotInThisVersion",
            "ImportError: cannot import name 'NotInThisVersion' from 'torch.nn' "
            f"({torch.nn.__file__})",
            f"torch {torch.__version__} is installed; the code was written for another version of "
            "it",
        ),
    ],
)
def test_an_import_that_fails_names_the_package(
    local: LocalAws, tmp_path: Path, first: str, error: str, hint: str
) -> None:
    write(tmp_path, {"inference.py": f"{first}\n"})
    said = failure_of(local, "no-import", tmp_path)
    assert said[:2] == [f"{error} at {tmp_path}/inference.py:1", f"hint: {hint}"]


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("raise MemoryError", "MemoryError at {place}"),
        (
            "return torch.ones(2**60, dtype=torch.int8)",
            "RuntimeError: [enforce fail at alloc_cpu.cpp:",
        ),
    ],
)
def test_want_of_memory_while_loading(
    local: LocalAws, tmp_path: Path, body: str, first: str
) -> None:
    write(tmp_path, {"inference.py": f"import torch\ndef model_fn(model_dir):\n    {body}\n"})
    said = failure_of(local, "no-memory", tmp_path)
    assert said[0].startswith(first.format(place=f"{tmp_path}/inference.py:3"))
    assert said[1].startswith("hint: it is out of memory: every worker loads the model, so have ")


def test_a_kill_while_loading_may_be_want_of_memory(local: LocalAws, tmp_path: Path) -> None:
    write(tmp_path, {"inference.py": "import os\nos.kill(os.getpid(), 9)\n"})
    assert failure_of(local, "killed", tmp_path) == [
        "the worker was killed by SIGKILL (the system may have run out of memory)"
    ]


def test_a_crash_while_loading_shows_the_users_line(local: LocalAws, tmp_path: Path) -> None:
    crash = "import ctypes\ndef model_fn(model_dir):\n    ctypes.string_at(0)\n"
    write(tmp_path, {"inference.py": crash})
    said = failure_of(local, "crash", tmp_path)
    assert said[:2] == [
        "the worker was killed by SIGSEGV",
        "Fatal Python error: Segmentation fault",
    ]
    assert said[-1] == f'  File "{tmp_path}/inference.py", line 3 in model_fn'


def test_requirements_that_cannot_be_installed_are_told_in_the_installers_words(
    local: LocalAws, tmp_path: Path
) -> None:
    write(tmp_path, {"code/inference.py": "", "code/requirements.txt": "./no-such.whl\n"})
    with local.deployed("requirements", tmp_path) as endpoint:
        assert endpoint["EndpointStatus"] == "Failed"
    first, *installer = endpoint["FailureReason"].splitlines()
    assert first == (
        f"InstallRequirementsError: {tmp_path}/code/requirements.txt could not be installed."
    )
    assert "no-such.whl" in "\n".join(installer)


def test_both_ways_of_handlers_are_refused_in_the_toolkits_words(
    local: LocalAws, tmp_path: Path
) -> None:
    both = "def input_fn(body, kind): ...\n\ndef transform_fn(model, body, kind, accept): ...\n"
    write(tmp_path, {"inference.py": both})
    assert failure_of(local, "both-ways", tmp_path)[0] == (
        "ValueError: Cannot use transform_fn implementation in conjunction with input_fn, "
        f"predict_fn, and/or output_fn implementation at {tmp_path}/inference.py:3"
    )


def test_a_variable_that_makes_no_sense_is_named(local: LocalAws, tmp_path: Path) -> None:
    write(tmp_path, {"inference.py": ""})
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "many"}
    with local.deployed("no-number", tmp_path, environment=variables) as endpoint:
        assert endpoint["FailureReason"] == (
            "SAGEMAKER_MODEL_SERVER_WORKERS is 'many'; it has to be a number above 0."
        )
