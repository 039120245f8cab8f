"""How a script ends, for real: each FailureReason has the user's own words, file and line."""

from __future__ import annotations

import asyncio
import re
import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagelet.domain.training import ToolkitProgram, TrainingJob
from tests.training_machine import TrainingMachine


@dataclass(frozen=True)
class End:
    """A script, and what its job's failure says: ExitCode, ErrorMessage, ExtraInfo."""

    script: str
    exit_code: int
    message: str
    extra: str = ""
    entry: str = "train.py"


CHILD = """
    import subprocess, sys
    sys.exit(subprocess.call([sys.executable, "step.py"]))
"""

ENDS: Mapping[str, End] = {
    "exit-code": End("import sys\nsys.exit(3)", 3, "", "raised at train.py:2"),
    "exit-text": End("import sys\nsys.exit('no data')", 1, "no data", "raised at train.py:2"),
    "said-last": End(
        "import sys\nprint('lr is 0')\nsys.exit(2)", 2, "lr is 0", "raised at train.py:3"
    ),
    "exception": End(
        "def step():\n    raise ValueError('nan')\nstep()",
        1,
        "ValueError: nan",
        "raised at train.py:2",
    ),
    "import": End(
        "import no_such_thing",
        1,
        "ModuleNotFoundError: No module named 'no_such_thing'",
        "raised at train.py:1",
    ),
    "syntax": End(
        "x = 1\ndef step(:\n    pass", 1, "SyntaxError: invalid syntax", "raised at train.py:2"
    ),
    "missing": End(
        "",
        2,
        "can't open file 'other.py': [Errno 2] No such file or directory",
        "the source at SOURCE has: step.py, train.py",
        "other.py",
    ),
    "killed": End(
        "import os\nprint('epoch 1', flush=True)\nos.kill(os.getpid(), 9)",
        -9,
        "epoch 1",
        "Process killed by SIGKILL (signal 9): it may have run out of memory",
    ),
    "crashed": End(
        "import ctypes\ndef step():\n    ctypes.string_at(0)\nstep()",
        -11,
        "Fatal Python error: Segmentation fault",
        "Process killed by SIGSEGV (signal 11); raised at train.py:3",
    ),
    "in-a-child": End(CHILD, 1, "KeyError: 'label'", "raised at step.py:1"),
    "shell": End("exit 3", 3, "", entry="train.sh"),
    "shell-python": End(
        "echo begin\npython3 step.py", 1, "KeyError: 'label'", "raised at step.py:1", "train.sh"
    ),
    "shell-killed": End(
        "kill -9 $$",
        -9,
        "killed by SIGKILL (signal 9)",
        "Process killed by SIGKILL (signal 9): it may have run out of memory",
        "train.sh",
    ),
}


@pytest.fixture
async def machine(home_path: Path) -> AsyncIterator[TrainingMachine]:
    # The shell's python3 is the one that runs here.
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    async with TrainingMachine(home_path, variables={"PATH": path}) as machine:
        yield machine


def begun(machine: TrainingMachine, name: str, end: End) -> TrainingJob:
    script = "train.sh" if end.entry.endswith(".sh") else "train.py"
    source = machine.folder(name, {script: textwrap.dedent(end.script), "step.py": "{}['label']\n"})
    job = machine.job(name, program=ToolkitProgram(end.entry, source.as_uri()))
    machine.record(job)
    machine.runner.start(job)
    return job


def told(job: TrainingJob, machine: TrainingMachine, name: str) -> tuple[int, str, str]:
    """Take a failure apart, which must have the toolkit's form."""
    form = (
        r"AlgorithmError: ExecuteUserScriptError:\nExitCode (?P<code>-?\d+)\n"
        r'ErrorMessage "(?P<message>.*)"\n(?:ExtraInfo "(?P<extra>.*)"\n)?'
        r'Command ".*", exit code: 1'
    )
    parts = re.fullmatch(form, job.failure_reason or "")
    assert parts is not None, (name, job.failure_reason, machine.lines(job))
    extra = (parts["extra"] or "").replace((machine.root / name).as_uri(), "SOURCE")
    assert job.exit_code == int(parts["code"])
    return int(parts["code"]), parts["message"], extra


async def test_each_end_is_told_in_the_users_words_with_their_file_and_line(
    machine: TrainingMachine,
) -> None:
    for name, end in ENDS.items():
        begun(machine, name, end)
    jobs = dict(
        zip(ENDS, await asyncio.gather(*(machine.ended(name) for name in ENDS)), strict=True)
    )
    assert {name: told(job, machine, name) for name, job in jobs.items()} == {
        name: (end.exit_code, end.message, end.extra) for name, end in ENDS.items()
    }


async def test_a_script_that_writes_its_own_failure_is_quoted_and_nothing_else(
    machine: TrainingMachine,
) -> None:
    job = await machine.run(
        """
        import os, pathlib
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("no GPU is left")
        raise SystemExit(4)
        """
    )
    assert job.failure_reason == "AlgorithmError: no GPU is left, exit code: 1"
    assert job.exit_code == 4
    output = machine.paths(job).host("algo-1") / "ml" / "output"
    assert (output / "failure").read_text() == "no GPU is left"
    assert not (output / "success").exists()


async def test_a_failure_file_fails_nothing_where_the_exit_code_is_0(
    machine: TrainingMachine,
) -> None:
    job = await machine.run(
        """
        import os, pathlib
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("never mind")
        """
    )
    assert job.failure_reason is None
    assert (machine.paths(job).host("algo-1") / "ml" / "output" / "success").exists()


async def test_the_failure_file_is_left_as_the_toolkit_leaves_it(machine: TrainingMachine) -> None:
    job = await machine.run("raise ValueError('nan')")
    failure = machine.paths(job).host("algo-1") / "ml" / "output" / "failure"
    assert failure.read_text().startswith("ExecuteUserScriptError:\nExitCode 1\nErrorMessage ")


async def test_an_older_toolkit_has_a_shell_split_the_arguments(machine: TrainingMachine) -> None:
    job = await machine.run(
        "import sys\nprint(sys.argv)\n",
        hyperparameters={"note": '"hello  world"', "files": '"*.py"', "home": '"$MINE"'},
        environment={"SAGELET_TOOLKIT": "legacy", "MINE": "sweet"},
    )
    assert job.failure_reason is None
    lines = machine.lines(job)
    given = ["train.py", "--files", "train.py", "--home", "sweet", "--note", "hello", "world"]
    assert str(given) in lines
    assert any(line.startswith("toolkit: legacy: ") for line in lines)


async def test_what_an_older_toolkit_would_split_is_warned_of(machine: TrainingMachine) -> None:
    job = await machine.run("", hyperparameters={"note": '"hello world"', "epochs": "3"})
    warnings = [line for line in machine.lines(job) if line.startswith("WARNING: images with ")]
    assert len(warnings) == 1
    assert " expand note: " in warnings[0]
