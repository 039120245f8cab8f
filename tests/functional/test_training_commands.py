"""Jobs with a ContainerEntrypoint: commands that run as they are, as SageMaker SDK v3 asks for.

The drivers here are of the same shape as the SDK's: bash, a file of variables, a Python driver.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import Channel, LiteralProgram, TrainingJob, TrainingJobStatus
from tests.training_machine import TrainingMachine
from tests.wheels import make_wheel

NAMESPACE = {"SAGELET_NAMESPACE": ""}
NO_NAMESPACE = {"SAGELET_NAMESPACE": "off"}
BEGIN = "/opt/ml/input/data/sm_drivers/begin.sh"

DRIVERS = {
    "begin.sh": """\
#!/bin/bash
set -e
failed() {
    code=$?
    [ -s /opt/ml/output/failure ] || echo "The training command failed." > /opt/ml/output/failure
    exit $code
}
trap failed ERR
command -v python3 > /dev/null && command -v pip > /dev/null
python3 /opt/ml/input/data/sm_drivers/variables.py
source /opt/ml/input/variables.env
cd /opt/ml/input/data/code
if [ -f requirements.txt ]; then python3 -m pip install --quiet -r requirements.txt; fi
python3 /opt/ml/input/data/sm_drivers/drive.py
""",
    "variables.py": """\
import json
config = "/opt/ml/input/config/"
resources = json.load(open(config + "resourceconfig.json"))
parameters = json.load(open(config + "hyperparameters.json"))
with open("/opt/ml/input/variables.env", "w") as file:
    file.write(f"export SM_CURRENT_HOST='{resources['current_host']}'\\n")
    file.write("export SM_MODEL_DIR='/opt/ml/model'\\n")
    file.write(f"export SM_HPS='{json.dumps(parameters)}'\\n")
""",
    "drive.py": """\
import json, os, subprocess, sys, traceback
arguments = [part for key, value in json.loads(os.environ["SM_HPS"]).items()
             for part in ("--" + key, value)]
command = [sys.executable, "train.py", *arguments]
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
for line in process.stdout:
    print(line.strip(), flush=True)
code = process.wait()
if code:
    try:
        raise subprocess.CalledProcessError(code, command)
    except subprocess.CalledProcessError:
        open("/opt/ml/output/failure", "w").write(traceback.format_exc())
    sys.exit(code)
""",
}


@pytest.fixture(params=[NAMESPACE, NO_NAMESPACE], ids=["namespace", "folder"])
async def machine(
    request: pytest.FixtureRequest, home_path: Path
) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path, variables=request.param) as machine:
        yield machine


@pytest.fixture
async def plain(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


async def run(
    machine: TrainingMachine,
    script: str,
    *,
    files: dict[str, str] | None = None,
    drivers: dict[str, str] | None = None,
    **changes: Any,  # noqa: ANN401  any field
) -> TrainingJob:
    """Run a script as the drivers do."""
    folders = {
        "code": {"train.py": script, **(files or {})},
        "sm_drivers": DRIVERS | (drivers or {}),
    }
    channels = tuple(
        Channel(name, machine.folder(name, content).as_uri()) for name, content in folders.items()
    )
    program = LiteralProgram(("/bin/bash",), ("-c", f"chmod +x {BEGIN} && {BEGIN}"))
    return await machine.finish(
        machine.job("literal", program=program, channels=channels, **changes)
    )


async def test_a_command_runs_as_it_is(machine: TrainingMachine) -> None:
    job = await run(
        machine,
        "import os, sys\n"
        "print('given', sys.argv, os.environ['TRAINING_JOB_NAME'], os.environ['MINE'])\n"
        "open(os.environ['SM_MODEL_DIR'] + '/model.txt', 'w').write('whole')\n",
        hyperparameters={"note": "hello world", "flag": "true"},
        environment={"MINE": "1"},
    )
    assert job.failure_reason is None, machine.lines(job)
    given = "given ['train.py', '--note', 'hello world', '--flag', 'true'] literal 1"
    assert given in machine.lines(job)
    assert machine.member(job, "model.tar.gz", "model.txt") == "whole"
    assert job.exit_code == 0


@pytest.mark.parametrize("variables", [NAMESPACE, NO_NAMESPACE], ids=["namespace", "folder"])
async def test_a_home_with_a_space_in_its_path_is_none_for_the_drivers(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    before = set(Path(tempfile.gettempdir()).glob("sagelet-*"))
    async with TrainingMachine(tmp_path / "my home", variables=variables) as machine:
        job = await run(machine, "print('through')\n")
        assert job.failure_reason is None, machine.lines(job)
        assert "through" in machine.lines(job)
    assert set(Path(tempfile.gettempdir()).glob("sagelet-*")) == before


async def test_its_failure_names_the_users_own_line_and_keeps_its_exit_code(
    machine: TrainingMachine,
) -> None:
    script = "import sys\ndef step():\n    raise ValueError('the loss is nan')\nstep()\n"
    job = await run(machine, script)
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith(
        "AlgorithmError: ValueError: the loss is nan (raised at train.py:3)\nTraceback"
    )
    assert "CalledProcessError" in job.failure_reason
    assert job.failure_reason.endswith(", exit code: 1")


async def test_a_commands_exit_code_is_the_containers(plain: TrainingMachine) -> None:
    job = await run(plain, "import sys\nsys.exit(3)\n")
    assert job.exit_code == 3
    assert job.failure_reason is not None
    assert job.failure_reason.endswith(", exit code: 3")


async def test_a_command_that_is_not_there_says_so(plain: TrainingMachine) -> None:
    job = plain.job("nothing", program=LiteralProgram(("no-such-command", "--option")))
    job = await plain.finish(job)
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert "no-such-command" in job.failure_reason


async def test_a_command_is_looked_for_on_the_path_and_runs_the_projects_interpreter(
    plain: TrainingMachine,
) -> None:
    told = "import sys; print(sys.prefix, sys.version_info[:2]); import pytest; print('pytest')"
    job = plain.job("python", program=LiteralProgram(("python", "-c", told)))
    job = await plain.finish(job)
    assert job.failure_reason is None
    lines = plain.lines(job)
    own = plain.paths(job).host("algo-1") / "environment"
    assert f"{own} {sys.version_info[:2]}" in lines
    assert "pytest" in lines


async def test_what_a_command_installs_is_its_own(plain: TrainingMachine) -> None:
    wheels = plain.root / "wheels"
    make_wheel(wheels, "tokens_of_a_command", "1.0")
    make_wheel(wheels, "click", "999.0")
    job = await run(
        plain,
        "import click, tokens_of_a_command\nprint(click.VERSION, tokens_of_a_command.VERSION)\n",
        files={
            "requirements.txt": f"--no-index\n--find-links {wheels}\n"
            "tokens_of_a_command\nclick==999.0\npytest\n"
        },
    )
    assert job.failure_reason is None, plain.lines(job)
    assert "999.0 1.0" in plain.lines(job)
    site_packages = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    assert not list(site_packages.glob("tokens_of_a_command*"))
    assert (site_packages / "click" / "__init__.py").exists()
    assert not list(site_packages.glob("click-999*"))


async def test_the_projects_own_commands_run_under_the_jobs_interpreter(
    plain: TrainingMachine,
) -> None:
    job = plain.job("scripts", program=LiteralProgram(("bash", "-c", "head -n 1 $(which pytest)")))
    job = await plain.finish(job)
    own = plain.paths(job).host("algo-1") / "environment" / "bin" / "python3"
    assert any(line.startswith("#!/bin/sh") or str(own) in line for line in plain.lines(job))


async def test_torchrun_starts_a_script_under_the_jobs_interpreter(plain: TrainingMachine) -> None:
    script = "import os\nprint('rank', os.environ['RANK'], 'of', os.environ['WORLD_SIZE'])\n"
    drive = "import os\nos.execvp('torchrun', ['torchrun', '--nproc_per_node=1', 'train.py'])\n"
    job = await run(plain, script, drivers={"drive.py": drive})
    assert job.failure_reason is None, plain.lines(job)
    assert "rank 0 of 1" in plain.lines(job)


async def test_an_apostrophe_that_the_drivers_cannot_quote_is_warned_of(
    plain: TrainingMachine,
) -> None:
    job = await run(plain, "", hyperparameters={"note": "it's"})
    assert job.status is TrainingJobStatus.FAILED
    assert any("fail on the apostrophe in note" in line for line in plain.lines(job))
