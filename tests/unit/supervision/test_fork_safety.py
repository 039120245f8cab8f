"""When a fork will do, and when only a new interpreter will."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sagelet.supervision.fork_safety import why_cold
from sagelet.supervision.warmth import Warmth
from sagelet.worker.spec import HostOrder, Mounts, Rank, ServeOrder

WARMTH = Warmth(
    {"LD_LIBRARY_PATH": "/cuda", "PATH": "/bin"}, frozenset({"torch", "numpy", "queue", "json"})
)


def _host(
    code: Path,
    environment: dict[str, str] | None = None,
    *,
    entry: str = "train.py",
    mounts: Mounts | None = None,
    cwd: str | None = None,
) -> HostOrder:
    return HostOrder((entry,), cwd or str(code), environment or {}, "log", "exit", mounts=mounts)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OMP_NUM_THREADS": "4"},
        {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        {"PYTHONHASHSEED": "random"},
        {"PYTHONBREAKPOINT": "0"},
        {"LD_LIBRARY_PATH": "/cuda"},
        {"CUDA_VISIBLE_DEVICES": "0", "NCCL_DEBUG": "WARN", "MASTER_ADDR": "algo-1"},
        {"TORCH_NCCL_ASYNC_ERROR_HANDLING": "1", "TORCHELASTIC_RUN_ID": "none"},
        {"TORCH_HOME": "/cache", "TMPDIR": "/tmp", "TZ": "UTC", "LANG": "C.UTF-8"},
        {"HF_HOME": "/cache"},
        {"SM_HP_OMP": "1", "SAGEMAKER_PROGRAM": "train.py"},
    ],
)
def test_what_a_fork_can_make_up_for_keeps_it_warm(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert why_cold(_host(tmp_path, environment), WARMTH) == ""


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"OMP_NUM_THREADS": "4,2"}, "OMP_NUM_THREADS is read when torch starts"),
        ({"OMP_PROC_BIND": "true"}, "OMP_PROC_BIND is read when torch starts"),
        ({"MKL_NUM_THREADS": "1"}, "MKL_NUM_THREADS is read when torch starts"),
        ({"KMP_AFFINITY": "none"}, "KMP_AFFINITY is read when torch starts"),
        ({"TORCH_LOGS": "+dynamo"}, "TORCH_LOGS is read when torch starts"),
        ({"TORCHDYNAMO_DISABLE": "1"}, "TORCHDYNAMO_DISABLE is read when torch starts"),
        ({"PYTORCH_JIT": "0"}, "PYTORCH_JIT is read when torch starts"),
        ({"LD_PRELOAD": "/x.so"}, "LD_PRELOAD is read when the loader starts"),
        ({"LD_LIBRARY_PATH": "/other"}, "LD_LIBRARY_PATH is read when the loader starts"),
        ({"PYTHONHASHSEED": "0"}, "PYTHONHASHSEED is read when python starts"),
        ({"PYTHONWARNINGS": "error"}, "PYTHONWARNINGS is read when python starts"),
        ({"PYTHONPROFILEIMPORTTIME": "1"}, "PYTHONPROFILEIMPORTTIME is read when python starts"),
        ({"OPENBLAS_NUM_THREADS": "2"}, "OPENBLAS_NUM_THREADS is read when numpy starts"),
        ({"PYTHONBREAKPOINT": "ipdb.set_trace"}, "a debugger is asked for"),
    ],
)
def test_what_was_read_already_makes_it_cold(
    tmp_path: Path, environment: dict[str, str], why: str
) -> None:
    assert why_cold(_host(tmp_path, environment), WARMTH).startswith(why)


def test_variables_of_libraries_that_are_not_imported_yet_do_not_matter(tmp_path: Path) -> None:
    without_torch = Warmth({}, frozenset({"json"}))
    assert why_cold(_host(tmp_path, {"MKL_NUM_THREADS": "1"}), without_torch) == ""


def test_a_shell_entry_reads_everything_anew(tmp_path: Path) -> None:
    (tmp_path / "torch.py").touch()
    order = _host(tmp_path, {"LD_PRELOAD": "/x.so", "MKL_X": "1"}, entry="train.sh")
    assert why_cold(order, WARMTH) == ""


@pytest.mark.parametrize("way", ["shell", "literal"])
def test_a_command_reads_everything_anew(tmp_path: Path, way: str) -> None:
    (tmp_path / "torch.py").touch()
    order = replace(_host(tmp_path, {"LD_PRELOAD": "/x.so"}), way=way)
    assert why_cold(order, WARMTH) == ""


def test_a_variable_of_one_process_makes_all_cold(tmp_path: Path) -> None:
    two = (Rank(0, {"RANK": "0"}), Rank(1, {"RANK": "1", "PYTHONHASHSEED": "1"}))
    order = replace(_host(tmp_path), ranks=two)
    assert why_cold(order, WARMTH) == "PYTHONHASHSEED is read when python starts"


def test_a_module_of_the_jobs_is_looked_for_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "queue.py").touch()
    order = replace(_host(tmp_path, entry="job.train"), way="module")
    assert why_cold(order, WARMTH).startswith(f"queue in {tmp_path} ")


def test_requirements_that_bring_numpy_need_a_torch_that_looks_for_it(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    order = replace(_host(tmp_path / "code"), site_dirs=(str(tmp_path),))
    assert why_cold(order, WARMTH) == ""
    without = Warmth({}, frozenset({"torch"}))
    assert why_cold(order, without).startswith("its requirements bring numpy")


def test_a_module_beside_the_script_that_hides_an_imported_one_makes_it_cold(
    tmp_path: Path,
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "queue.py").touch()
    (tmp_path / "numpy.py").touch()

    why = why_cold(_host(tmp_path, entry="src/train.py"), WARMTH)

    assert why == f"queue in {tmp_path}/src takes the place of a module that is imported already"


def test_the_code_is_looked_for_where_the_mounts_come_from(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "json.py").touch()
    order = _host(tmp_path, mounts=Mounts(str(tmp_path)), cwd="/opt/ml/code")

    assert why_cold(order, WARMTH).startswith(f"json in {tmp_path}/code ")


@pytest.mark.parametrize("name", ["torch.py", "sitecustomize.py"])
def test_pythonpath_is_looked_at_too(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    order = _host(tmp_path / "code", {"PYTHONPATH": f"/nowhere:{tmp_path}"})

    assert why_cold(order, WARMTH).startswith(f"{name[:-3]} in {tmp_path} ")


def test_a_workers_code_folder_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    order = ServeOrder("/m", str(tmp_path), "inference.py", "/", {})

    assert why_cold(order, WARMTH).startswith("torch in ")
