"""Training jobs through the real launcher, runner and host, with and without a mount namespace."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tarfile
import venv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.training import SecondaryStatus, ToolkitProgram, TrainingJob, TrainingJobStatus
from sagelet.worker import namespace
from tests.training_builders import a_channel, a_metric
from tests.training_machine import TrainingMachine

NAMESPACE = {"SAGELET_NAMESPACE": ""}
NO_NAMESPACE = {"SAGELET_NAMESPACE": "off"}

# A script reports what it sees in /opt/ml/output/data, from where the tests read it back.
REPORT = """
import json, os, pathlib, sys
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
model.joinpath("model.json").write_text("{}")
config = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"])
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "report.json").write_text(json.dumps({
    "argv": sys.argv,
    "cwd": os.getcwd(),
    "environ": dict(os.environ),
    "hyperparameters": json.loads(config.joinpath("hyperparameters.json").read_text()),
    "training": sorted(os.listdir(os.environ["SM_CHANNEL_TRAINING"])),
    "hosts": pathlib.Path("/etc/hosts").read_text(),
    "own_opt_ml": os.path.realpath("/opt/ml/code") == os.path.realpath(os.getcwd()),
}))
print("loss=0.5;", flush=True)
print("loss=0.25;", flush=True)
"""


@pytest.fixture(params=[NAMESPACE, NO_NAMESPACE], ids=["namespace", "folder"])
async def machine(
    request: pytest.FixtureRequest, home_path: Path
) -> AsyncIterator[TrainingMachine]:
    if request.param is NAMESPACE and (why := namespace.probe()):
        pytest.fail(f"this machine cannot show a job its own /opt/ml: {why}")
    async with TrainingMachine(home_path, variables=request.param) as machine:
        yield machine


@pytest.fixture
async def plain(home_path: Path) -> AsyncIterator[TrainingMachine]:
    async with TrainingMachine(home_path) as machine:
        yield machine


def report_of(machine: TrainingMachine, job: TrainingJob) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(machine.member(job, "output.tar.gz", "report.json"))
    return report


async def test_a_job_runs_from_its_data_to_its_artifacts(machine: TrainingMachine) -> None:
    data = machine.folder("data", {"rows.csv": "1,2"})
    job = await machine.run(
        REPORT,
        channels=(a_channel("training", uri=data.as_uri()),),
        hyperparameters={"epochs": "3", "note": '"a b"', "sagemaker_program": '"train.py"'},
        metrics=(a_metric("loss", r"loss=([0-9.]+);"),),
        environment={"MINE": "1"},
    )
    assert job.failure_reason is None
    assert job.status is TrainingJobStatus.COMPLETED
    assert [transition.status for transition in job.transitions] == [
        SecondaryStatus.STARTING,
        SecondaryStatus.DOWNLOADING,
        SecondaryStatus.TRAINING,
        SecondaryStatus.UPLOADING,
        SecondaryStatus.COMPLETED,
    ]
    assert job.exit_code == 0
    assert job.artifact_uri == f"s3://bucket/out/{job.name}/output/model.tar.gz"
    assert machine.member(job, "model.tar.gz", "model.json") == "{}"
    assert [(name, value) for name, value, _ in job.final_metrics] == [("loss", 0.25)]

    report = report_of(machine, job)
    assert report["argv"] == ["train.py", "--epochs", "3", "--note", "a b"]
    assert report["hyperparameters"] == dict(job.hyperparameters)
    assert report["training"] == ["rows.csv"]
    assert report["environ"]["MINE"] == "1"
    assert report["environ"]["TRAINING_JOB_NAME"] == job.name
    assert "AWS_SECRET_ACCESS_KEY" not in report["environ"]

    lines = machine.lines(job)
    assert "Invoking script with the following command:" in lines
    assert lines.index("loss=0.5;") < lines.index("loss=0.25;")
    assert lines[-1].startswith(f"Training job {job.name}: Completed after ")


async def test_the_script_sees_the_tree_that_the_log_names(machine: TrainingMachine) -> None:
    data = machine.folder("data", {"rows.csv": "1,2"})
    job = await machine.run(REPORT, channels=(a_channel("training", uri=data.as_uri()),))
    report = report_of(machine, job)
    first = machine.lines(job)[0]
    if machine.has_namespace:
        assert first.endswith("/opt/ml is the job's own, in a mount namespace")
        assert report["own_opt_ml"]
        assert report["cwd"] == "/opt/ml/code"
        assert report["environ"]["SM_MODEL_DIR"] == "/opt/ml/model"
        assert report["environ"]["MASTER_ADDR"] == "algo-1"
        assert "127.0.0.1\talgo-1\n" in report["hosts"]
    else:
        tree = machine.paths(job).host("algo-1") / "ml"
        assert first.endswith(f"/opt/ml is {tree} (SAGELET_NAMESPACE=off)")
        assert not report["own_opt_ml"]
        assert report["cwd"] == str(tree / "code")
        assert report["environ"]["SM_MODEL_DIR"] == str(tree / "model")
        assert report["environ"]["MASTER_ADDR"] == "127.0.0.1"


async def test_a_script_imports_what_lies_beside_it(machine: TrainingMachine) -> None:
    source = machine.folder("source", {"train.py": "import steps\n", "steps.py": "print('steps')"})
    job = await machine.finish(machine.job(program=ToolkitProgram("train.py", source.as_uri())))
    assert job.failure_reason is None
    assert "steps" in machine.lines(job)


async def test_an_exit_code_fails_the_job_and_keeps_its_output(machine: TrainingMachine) -> None:
    job = await machine.run(
        """
        import os, pathlib, sys
        pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "partial.txt").write_text("half")
        print("the learning rate must be positive", file=sys.stderr)
        sys.exit(3)
        """
    )
    assert job.status is TrainingJobStatus.FAILED
    assert job.exit_code == 3
    assert job.failure_reason is not None
    assert "ExitCode 3\n" in job.failure_reason
    assert "the learning rate must be positive" in job.failure_reason
    assert job.failure_reason.endswith(", exit code: 1")
    assert machine.member(job, "output.tar.gz", "partial.txt") == "half"
    assert job.artifact_uri is None


async def test_an_exception_is_the_reason_with_its_place(machine: TrainingMachine) -> None:
    job = await machine.run("def load():\n    raise ValueError('no column label')\nload()\n")
    assert job.failure_reason is not None
    assert 'ErrorMessage "ValueError: no column label"' in job.failure_reason
    assert 'ExtraInfo "raised at train.py:2"' in job.failure_reason
    assert "ValueError: no column label" in machine.lines(job)


async def test_the_failure_file_is_the_reason(machine: TrainingMachine) -> None:
    job = await machine.run(
        """
        import os, pathlib, sys
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("The data has no labels.")
        sys.exit(1)
        """
    )
    assert job.failure_reason == "AlgorithmError: The data has no labels., exit code: 1"


async def test_a_shell_script_gets_its_arguments_whole(machine: TrainingMachine) -> None:
    job = await machine.run(
        """
        echo "cwd=$(pwd) program=$0"
        for argument in "$@"; do echo "<$argument>"; done
        echo "$SM_HP_NOTE" > "$SM_MODEL_DIR/note"
        """,
        entry_point="bin/train.sh",
        hyperparameters={"note": "a 'b' $HOME *"},
    )
    assert job.failure_reason is None
    lines = machine.lines(job)
    assert lines[lines.index("<--note>") + 1] == "<a 'b' $HOME *>"
    assert machine.member(job, "model.tar.gz", "note") == "a 'b' $HOME *\n"


async def test_a_stopped_script_may_save_its_checkpoint(machine: TrainingMachine) -> None:
    job = await machine.begin(
        """
        import os, pathlib, signal, sys, time
        def save(*_):
            pathlib.Path(os.environ["SM_MODEL_DIR"], "checkpoint").write_text("saved")
            print("saved", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    await machine.said(job, "ready")
    machine.stop(job.name)
    job = await machine.ended(job.name)
    assert job.status is TrainingJobStatus.STOPPED
    assert [transition.status for transition in job.transitions][-2:] == [
        SecondaryStatus.STOPPING,
        SecondaryStatus.STOPPED,
    ]
    assert job.exit_code == 0
    assert machine.member(job, "model.tar.gz", "checkpoint") == "saved"
    assert "saved" in machine.lines(job)


async def test_a_script_that_ignores_sigterm_is_killed(machine: TrainingMachine) -> None:
    job = await machine.begin(
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    await machine.said(job, "ready")
    machine.stop(job.name)
    job = await machine.ended(job.name)
    assert job.status is TrainingJobStatus.STOPPED
    assert job.exit_code == -signal.SIGKILL
    assert job.artifact_uri is None


async def test_what_a_script_leaves_behind_is_ended(machine: TrainingMachine) -> None:
    job = await machine.run(
        """
        import os, subprocess
        child = subprocess.Popen(["sleep", "60"], start_new_session=True)
        print("left", child.pid, flush=True)
        """
    )
    assert job.status is TrainingJobStatus.COMPLETED
    (left,) = [line for line in machine.lines(job) if line.startswith("left ")]
    with pytest.raises(ProcessLookupError):
        os.kill(int(left.split()[1]), 0)


async def test_a_job_whose_time_is_up_is_stopped(plain: TrainingMachine) -> None:
    job = await plain.run("import time\ntime.sleep(60)\n", max_runtime_s=1)
    assert job.status is TrainingJobStatus.STOPPED
    assert job.secondary_status is SecondaryStatus.MAX_RUNTIME_EXCEEDED
    assert job.exit_code == -signal.SIGTERM


async def test_a_killed_script_is_told_with_its_signal(plain: TrainingMachine) -> None:
    job = await plain.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert "Process killed by SIGKILL (signal 9)" in job.failure_reason


async def test_a_missing_script_is_told_with_what_there_is(plain: TrainingMachine) -> None:
    source = plain.folder("source", {"main.py": ""})
    job = await plain.finish(plain.job(program=ToolkitProgram("train.py", source.as_uri())))
    assert job.failure_reason is not None
    assert "can't open file 'train.py'" in job.failure_reason
    assert "has: main.py" in job.failure_reason


async def test_a_bad_script_name_is_refused(plain: TrainingMachine) -> None:
    source = plain.folder("source", {"main.py": ""})
    job = await plain.finish(plain.job(program=ToolkitProgram("../train.py", source.as_uri())))
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("AlgorithmError: The training entry point '../train.py'")


async def test_missing_data_fails_the_job_before_it_starts(plain: TrainingMachine) -> None:
    job = await plain.run("print('never')", channels=(a_channel("training"),))
    assert job.failure_reason is not None
    assert job.failure_reason.startswith(
        "ClientError: Data download failed: channel training: No S3 objects found under S3 URL"
    )
    assert "never" not in plain.lines(job)
    assert SecondaryStatus.TRAINING not in [transition.status for transition in job.transitions]


async def test_a_bad_archive_fails_the_job(plain: TrainingMachine) -> None:
    archive = plain.folder("archives", {"sourcedir.tar.gz": "not an archive"}) / "sourcedir.tar.gz"
    job = await plain.finish(plain.job(program=ToolkitProgram("train.py", archive.as_uri())))
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("ClientError: Data download failed: source: ")


async def test_a_source_archive_in_a_bucket_is_unpacked(plain: TrainingMachine) -> None:
    source = plain.folder("source", {"src/train.py": "import helper\n", "src/helper.py": ""})
    archive = plain.root / "sourcedir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, ".")
    uri = plain.put("digits/source/sourcedir.tar.gz", archive)
    job = await plain.finish(plain.job(program=ToolkitProgram("src/train.py", uri)))
    assert job.failure_reason is None


async def test_an_artifact_that_cannot_be_stored_fails_the_job(plain: TrainingMachine) -> None:
    job = await plain.run("print('trained')", output_uri="s3://no-such-bucket/out")
    assert job.status is TrainingJobStatus.FAILED
    assert job.exit_code == 0
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("ClientError: Artifact upload failed: ")
    assert "no-such-bucket" in job.failure_reason


async def test_a_job_stopped_before_it_began_runs_nothing(plain: TrainingMachine) -> None:
    source = plain.folder("source", {"train.py": "print('never')"})
    job = plain.job(program=ToolkitProgram("train.py", source.as_uri()))
    plain.record(job)
    plain.runner.start(job)
    plain.stop(job.name)
    ended = await plain.ended(job.name)
    assert ended.status is TrainingJobStatus.STOPPED
    assert ended.failure_reason is None
    assert plain.lines(job) == []


async def test_a_stop_that_meets_the_start_stops_the_job(plain: TrainingMachine) -> None:
    job = await plain.begin("import time\ntime.sleep(60)\n")
    await plain.said(job, "Invoking script with the following command:")
    plain.stop(job.name)
    ended = await plain.ended(job.name)
    assert ended.status is TrainingJobStatus.STOPPED
    assert ended.failure_reason is None


async def test_a_missing_interpreter_fails_the_job(plain: TrainingMachine) -> None:
    job = await plain.run("", environment={"SAGELET_PYTHON": "/no/such/python"})
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert "/no/such/python" in job.failure_reason


async def test_log_growth_wakes_those_who_wait(plain: TrainingMachine) -> None:
    job = await plain.begin(
        """
        import time
        print("first", flush=True)
        while True:
            time.sleep(0.1)
            print("more", flush=True)
        """
    )
    await plain.said(job, "first")
    version = plain.store.changes.version(job.arn)
    assert await plain.store.changes.wait(job.arn, version, 10)
    plain.stop(job.name)
    await plain.ended(job.name)


async def test_two_jobs_run_beside_each_other(machine: TrainingMachine) -> None:
    script = """
    import os, pathlib
    pathlib.Path(os.environ["SM_MODEL_DIR"], "port").write_text(os.environ["MASTER_PORT"])
    """
    one, two = await asyncio.gather(
        machine.run(script, name="one"), machine.run(script, name="two")
    )
    ports = {machine.member(job, "model.tar.gz", "port") for job in (one, two)}
    assert len(ports) == 2
    assert {one.status, two.status} == {TrainingJobStatus.COMPLETED}


async def test_any_hyperparameter_reaches_the_script_and_the_log(plain: TrainingMachine) -> None:
    job = await plain.run(
        "import sys\nprint(ascii(sys.argv[1:]))\n",
        hyperparameters={"a=b": "1", "odd": '"\\u0000 \\n"', "umlaut": "ü"},
    )
    assert job.failure_reason is None
    expected = ["--a=b", "1", "--odd", "\0 \n", "--umlaut", "ü"]
    assert ascii(expected) in plain.lines(job)


async def test_a_job_runs_in_the_interpreter_that_it_names(plain: TrainingMachine) -> None:
    environment = plain.root / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    job = await plain.run(
        "import sys\nprint(sys.prefix)\n", environment={"SAGELET_PYTHON": str(python)}
    )
    assert job.failure_reason is None
    assert str(environment) in plain.lines(job)
    assert f"{python} -- train.py" in plain.lines(job)


async def test_one_job_may_do_without_a_namespace(plain: TrainingMachine) -> None:
    job = await plain.run(
        "import os\nprint(os.environ['SM_MODEL_DIR'])\n",
        environment={"SAGELET_NAMESPACE": "off"},
    )
    assert str(plain.paths(job).host("algo-1") / "ml" / "model") in plain.lines(job)


async def test_a_forgotten_job_leaves_no_folder(plain: TrainingMachine) -> None:
    job = await plain.run("")
    folder = plain.paths(job).root
    assert folder.is_dir()
    plain.runner.forget(job)
    assert not folder.exists()
