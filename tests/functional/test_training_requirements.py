"""requirements.txt and setup.py of training jobs: installed once, beside the interpreter."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from sagelet.domain.training import SecondaryStatus, ToolkitProgram, TrainingJob, TrainingJobStatus
from tests.training_machine import TrainingMachine
from tests.wheels import make_wheel

INSTALLED = "requirements.txt was installed before"
USES_IT = "import tokens_of_a_job\nprint('has', tokens_of_a_job.VERSION)\n"
BACKEND = """\
import os, pathlib, time, zipfile

def build_wheel(folder, settings=None, metadata=None):
    here = pathlib.Path(__file__).parent
    wait_for = here / "wait-for.txt"
    if wait_for.exists():
        pathlib.Path(wait_for.read_text()).write_text(str(os.getpid()))
        time.sleep(60)
    name, info = "ours-1.0-py3-none-any.whl", "ours-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr("ours.py", (here / "src" / "ours.py").read_text())
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: ours\\nVersion: 1.0\\n")
        kind = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", kind)
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
PACKAGE = {
    "setup.py": "",
    "pyproject.toml": (
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    ),
    "backend.py": BACKEND,
    "src/ours.py": "WORD = 'ours'\n",
    "train.py": "import ours, sys\nprint(ours.WORD, sys.argv, __name__, __package__ == '')\n",
}


@pytest.fixture
async def machine(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


def a_source(machine: TrainingMachine, *lines: str, name: str = "source", **files: str) -> Path:
    """A source whose requirements come from a folder of wheels."""
    make_wheel(machine.root / "wheels", "tokens_of_a_job", "1.0")
    options = ["--no-index", f"--find-links {machine.root / 'wheels'}"]
    text = "\n".join([*options, *lines]) + "\n"
    files = {name.replace("_", "."): text for name, text in files.items()}
    return machine.folder(name, {"requirements.txt": text, "train.py": USES_IT, **files})


def a_job(
    machine: TrainingMachine, source: Path, name: str, entry: str = "train.py"
) -> TrainingJob:
    return machine.job(name, program=ToolkitProgram(entry, source.as_uri()))


async def test_requirements_are_installed_beside_the_interpreter_and_once(
    machine: TrainingMachine,
) -> None:
    source = a_source(machine, "tokens_of_a_job")
    first = await machine.finish(a_job(machine, source, "first"))
    assert first.failure_reason is None
    lines = machine.lines(first)
    assert "has 1.0" in lines
    assert any(line.startswith("installed tokens-of-a-job==1.0 in ") for line in lines)
    assert INSTALLED not in lines

    second = await machine.finish(a_job(machine, source, "second"))
    assert second.status is TrainingJobStatus.COMPLETED
    assert INSTALLED in machine.lines(second)
    assert "has 1.0" in machine.lines(second)


async def test_describe_says_what_is_being_installed(machine: TrainingMachine) -> None:
    source = a_source(machine, "tokens_of_a_job")
    job = await machine.finish(a_job(machine, source, "told"))
    downloading = [t for t in job.transitions if t.status is SecondaryStatus.DOWNLOADING]
    assert [transition.message for transition in downloading] == ["Installing requirements.txt"]


async def test_requirements_that_cannot_be_installed_fail_in_the_resolvers_words(
    machine: TrainingMachine,
) -> None:
    source = a_source(machine, "no-such-package>=2")
    job = await machine.finish(a_job(machine, source, "impossible"))
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("AlgorithmError: InstallRequirementsError:\nExitCode 1\n")
    assert "no-such-package" in job.failure_reason.split("ErrorMessage")[1]
    assert job.failure_reason.endswith(
        f'Command "{sys.executable} -m pip install -r requirements.txt", exit code: 1'
    )
    assert any("no-such-package" in line for line in machine.lines(job))
    assert job.exit_code == 1


async def test_a_shell_script_has_to_install_for_itself(machine: TrainingMachine) -> None:
    source = a_source(machine, "no-such-package", train_sh="echo begun\n")
    job = await machine.finish(a_job(machine, source, "shell", "train.sh"))
    assert job.status is TrainingJobStatus.COMPLETED
    assert any("requirements.txt is not installed" in line for line in machine.lines(job))


async def test_beside_a_setup_py_the_source_is_installed_and_run_as_a_module(
    machine: TrainingMachine,
) -> None:
    source = machine.folder("package", PACKAGE)
    job = machine.job(
        "package",
        program=ToolkitProgram("train.py", source.as_uri()),
        hyperparameters={"epochs": "3"},
    )
    job = await machine.finish(job)
    assert job.failure_reason is None, machine.lines(job)
    said = next(line for line in machine.lines(job) if line.startswith("ours "))
    assert said.endswith("code/train.py', '--epochs', '3'] __main__ True")
    assert f"{sys.executable} -m train --epochs 3" in machine.lines(job)


async def test_a_stop_ends_an_installation_and_leaves_nothing_of_it(
    machine: TrainingMachine,
) -> None:
    begun = machine.root / "begun"
    source = machine.folder("slow", {**PACKAGE, "wait-for.txt": str(begun)})
    job = a_job(machine, source, "slow")
    machine.record(job)
    machine.runner.start(job)
    deadline = time.monotonic() + 30
    while not (begun.exists() and begun.read_text()):
        assert time.monotonic() < deadline, machine.lines(job)
        await asyncio.sleep(0.01)
    machine.stop("slow")
    job = await machine.ended("slow")
    assert job.status is TrainingJobStatus.STOPPED
    builder = int(begun.read_text())
    while psutil.pid_exists(builder) and psutil.Process(builder).status() != "zombie":
        assert time.monotonic() < deadline, "what it had started still runs"
        await asyncio.sleep(0.01)
