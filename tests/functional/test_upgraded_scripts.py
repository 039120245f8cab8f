"""What `sagelet upgrade` makes, run: alone, where SageMaker says, on two ranks, and served."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parents[1] / "unit" / "upgrade" / "scripts"
RUNS = Path(__file__).parent / "upgraded" / "runs.py"


@dataclass(frozen=True)
class Case:
    """A script of the unit tests, and what its runs leave behind.

    `model` is the file in the model's folder, `plain` where a plain run has it; `outputs` are files
    of the folder for results, and where a plain run has those.
    """

    name: str
    model: str = "model.pth"
    plain: str = "."
    rows: tuple[int, ...] = (3, 4)
    is_distributed: bool = True
    is_served: bool = True
    runs_before: bool = True
    outputs: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    data: str = "data"


CASES_TO_RUN = [
    Case("functional", "model.pt", arguments=("--hidden", "6", "--epochs", "1")),
    Case("torchvision_root", "mnist_cnn.pt", rows=(3, 8, 8)),
    Case("own_argparse", plain="out", arguments=("--bias", "False", "--verbose", "True")),
    Case("guarded", plain="checkpoints", arguments=("--batch-size", "8")),
    Case("module_level", "line.pth", outputs={"losses.csv": "."}, arguments=("--epochs", "2")),
    Case("scheduler", "net.pth", arguments=("--depth", "3")),
    Case("early_stopping", "best.pth", plain="models", arguments=("--patience", "1")),
    Case("whole_model", arguments=("--sizes", "[4, 6, 2]", "--shuffle", "False")),
    Case("checkpoint_dict", "latest/checkpoint.pt", plain="experiments"),
    Case("cuda_conditional"),
    Case("typed", "typed.pth", arguments=("--widths", "[3]", "--norm", "False", "--lr", "0.5")),
    Case("tabs"),
    Case("crlf"),
    Case("data_parallel"),
    Case("gpu_only", runs_before=False),
    Case("noise"),
    Case("outputs", outputs={"history.json": "results", "history.csv": "results"}, data="dataset"),
    Case("no_loader", is_distributed=False),
    Case("global_state", is_distributed=False),
    Case("two_models", "generator.pth", is_distributed=False, is_served=False),
    Case("reloaded"),
    Case("method", plain="models", is_distributed=False, is_served=False),
    Case("pasted_article", runs_before=False, arguments=("--hosts", '["algo-1"]')),
]


@dataclass(frozen=True)
class Runs:
    """What came of every case's runs: exit codes and logs, by the case's name and the run's."""

    root: Path
    codes: Mapping[str, list[int]]

    def folder(self, case: Case, run: str) -> Path:
        return self.root / case.name / run

    def log(self, case: Case, run: str, rank: int = 0) -> str:
        return (self.folder(case, run) / f"log-{rank}.txt").read_text(encoding="utf-8")

    def ended_well(self, case: Case, run: str) -> bool:
        codes = self.codes[f"{case.name}/{run}"]
        logs = [self.log(case, run, rank) for rank in range(len(codes))]
        assert codes == [0] * len(codes), "\n".join(logs)
        return True


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Every run of every case, in forks of one process."""
    root = tmp_path_factory.mktemp("runs")
    _write_data(root / "home")
    orders = {
        f"{case.name}/{run}": order
        for case in CASES_TO_RUN
        for run, order in _orders(root, case).items()
    }
    orders |= {f"one-step/{hosts}": _one_step(root, hosts) for hosts in (1, 2)}
    done = subprocess.run(
        [sys.executable, str(RUNS)],
        input=json.dumps(list(orders.values())),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    return Runs(root, dict(zip(orders, json.loads(done.stdout), strict=True)))


def _write_data(home: Path) -> None:
    """Write rows of four numbers and a class, as every script finds them."""
    draw = random.Random(5)
    for folder in ("data", "dataset/tables"):
        (home / folder).mkdir(parents=True)
        for name, count in (("train", 96), ("test", 24)):
            lines = []
            for _ in range(count):
                numbers = [draw.uniform(-1, 1) for _ in range(4)]
                lines.append(",".join(f"{each:.4f}" for each in [*numbers, sum(numbers) > 0]))
            (home / folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (home / "dataset" / "classes.txt").write_text("no yes\n")
    for folder in ("experiments", "results", "checkpoints", "out", "models"):
        (home / folder).mkdir()
    torch = pytest.importorskip("torch")
    digits = torch.arange(60) % 10
    torch.save((torch.rand(60, 8, 8) + digits.view(-1, 1, 1), digits), home / "data" / "digits.pt")


def _orders(root: Path, case: Case) -> dict[str, list[dict[str, Any]]]:
    """Return a case's runs: its script as it was, and what it became, in each of its ways."""
    before, after = CASES / case.name / "before.py", CASES / case.name / "after.py"
    found = {"after": [_process(root, case, "after", after)]}
    if case.runs_before:
        found["before"] = [_process(root, case, "before", before)]
    found["job"] = [_process(root, case, "job", after, hosts=1, arguments=case.arguments)]
    if case.is_distributed:
        found["two"] = [_process(root, case, "two", after, rank=rank, hosts=2) for rank in (0, 1)]
    if case.is_served:
        model_dir = root / case.name / "job" / "model-0"
        asks = {"model_dir": str(model_dir), "rows": _rows(case.rows)}
        found["served"] = [_process(root, case, "served", after, asks=asks)]
    return found


ONE_STEP = Case("one-step", "model.pt")


def _one_step(root: Path, hosts: int) -> list[dict[str, Any]]:
    """Return a run that leaves the first weights less the gradient of one batch: all rows."""
    return [
        _process(
            root,
            ONE_STEP,
            str(hosts),
            CASES / "functional" / "after.py",
            rank=rank,
            hosts=hosts,
            arguments=("--epochs", "1", "--batch-size", "96", "--learning-rate", "1"),
        )
        for rank in range(hosts)
    ]


def _rows(shape: tuple[int, ...]) -> list[Any] | float:
    return [_rows(shape[1:]) for _ in range(shape[0])] if shape else 0.5


def _process(
    root: Path,
    case: Case,
    run: str,
    script: Path,
    *,
    rank: int = 0,
    hosts: int = 0,
    arguments: tuple[str, ...] = (),
    asks: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    folder = root / case.name / run
    work = folder / f"work-{rank}"
    if hosts or asks:
        work.mkdir(parents=True)
    else:
        shutil.copytree(root / "home", work)
    environment = {"GLOO_SOCKET_IFNAME": "lo", "CUDA_VISIBLE_DEVICES": ""}
    if hosts:
        names = [f"algo-{number + 1}" for number in range(hosts)]
        environment |= {"SM_HOSTS": json.dumps(names), "SM_CURRENT_HOST": names[rank]}
        environment |= {"MASTER_ADDR": "127.0.0.1", "SM_NUM_GPUS": "0"}
        environment |= {"MASTER_PORT": str(_port(folder)), "SM_NETWORK_INTERFACE_NAME": "lo"}
        environment["SM_CHANNEL_TRAINING"] = str(root / "home" / case.data)
        for name, variable in (("model", "SM_MODEL_DIR"), ("output", "SM_OUTPUT_DATA_DIR")):
            (folder / f"{name}-{rank}").mkdir()
            (folder / f"{name}-{rank}" / case.model).parent.mkdir(exist_ok=True)
            environment[variable] = str(folder / f"{name}-{rank}")
    return {
        "script": str(script),
        "arguments": list(arguments),
        "folder": str(work),
        "log": str(folder / f"log-{rank}.txt"),
        "environment": environment,
        "asks": asks,
    }


_ports: dict[Path, int] = {}


def _port(folder: Path) -> int:
    if folder not in _ports:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            _ports[folder] = free.getsockname()[1]
    return _ports[folder]


def _named(case: Case) -> str:
    return case.name


def _files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize("case", CASES_TO_RUN, ids=_named)
def test_alone_it_says_and_learns_what_it_did_before(runs: Runs, case: Case) -> None:
    assert runs.ended_well(case, "after")
    after = runs.folder(case, "after") / "work-0"
    assert (after / case.plain / case.model).is_file()
    if not case.runs_before:
        return
    assert runs.ended_well(case, "before")
    before = runs.folder(case, "before") / "work-0"
    assert runs.log(case, "after") == runs.log(case, "before")
    assert _files(after) == _files(before)
    for name, folder in case.outputs.items():
        assert (after / folder / name).read_bytes() == (before / folder / name).read_bytes()


def _weights(path: Path) -> dict[str, Any]:
    """Return the weights of a file, however they were saved."""
    torch = pytest.importorskip("torch")
    saved = torch.load(path, weights_only=True)
    keys = [key for key in ("state_dict", "model_state_dict") if key in saved]
    weights: dict[str, Any] = saved[keys[0]] if keys else saved
    return weights


@pytest.mark.parametrize(
    "case",
    # A pickled model cannot be read without its class.
    [case for case in CASES_TO_RUN if case.runs_before and case.name != "whole_model"],
    ids=_named,
)
def test_alone_it_has_the_same_weights_as_before(runs: Runs, case: Case) -> None:
    before, after = (
        _weights(runs.folder(case, run) / "work-0" / case.plain / case.model)
        for run in ("before", "after")
    )
    assert before.keys() == after.keys()
    assert all(before[name].equal(after[name]) for name in before)


@pytest.mark.parametrize("case", CASES_TO_RUN, ids=_named)
def test_a_job_reads_and_writes_where_sagemaker_says(runs: Runs, case: Case) -> None:
    assert runs.ended_well(case, "job")
    folder = runs.folder(case, "job")
    assert _files(folder / "model-0") == [case.model]
    assert _files(folder / "output-0") == sorted(case.outputs)
    assert _files(folder / "work-0") == []


@pytest.mark.parametrize("case", [case for case in CASES_TO_RUN if case.is_distributed], ids=_named)
def test_of_two_ranks_one_saves(runs: Runs, case: Case) -> None:
    assert runs.ended_well(case, "two")
    folder = runs.folder(case, "two")
    assert _files(folder / "model-0") == [case.model]
    assert _files(folder / "output-0") == sorted(case.outputs)
    assert _files(folder / "model-1") == _files(folder / "output-1") == []


@pytest.mark.parametrize("case", [case for case in CASES_TO_RUN if case.is_served], ids=_named)
def test_its_model_is_made_again_and_predicts(runs: Runs, case: Case) -> None:
    assert runs.ended_well(case, "served")
    answer = json.loads(runs.log(case, "served"))
    assert answer["training"] is False
    assert answer["shape"][0] == case.rows[0]


def test_the_gradient_of_two_hosts_is_that_of_one_on_the_same_batch(runs: Runs) -> None:
    torch = pytest.importorskip("torch")
    weights = []
    for hosts in ("1", "2"):
        assert runs.ended_well(ONE_STEP, hosts)
        saved = torch.load(runs.folder(ONE_STEP, hosts) / "model-0" / "model.pt", weights_only=True)
        weights.append(saved["state_dict"])
    one, two = weights
    assert one.keys() == two.keys()
    difference = max((one[name] - two[name]).abs().max().item() for name in one)
    assert difference < 1e-6
