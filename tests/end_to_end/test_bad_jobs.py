"""Training jobs that cannot succeed say why, in SageMaker's words and the script's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.documents import ROLE, a_training_job
from tests.end_to_end.local_aws import LocalAws, eventually

pytestmark = pytest.mark.usefixtures("nothing_lost")


@contextmanager
def ended(local: LocalAws, name: str, folder: Path, script: str) -> Iterator[dict[str, Any]]:
    """Run a job to its end, and remove it."""
    (folder / "train.py").write_text(script)
    local.train(name, folder)
    yield local.wait_ended(name)
    local.sagemaker.delete_training_job(TrainingJobName=name)


def a_channel(uri: str) -> list[dict[str, Any]]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return [{"ChannelName": "training", "DataSource": {"S3DataSource": source}}]


def test_a_script_that_exits_3(local: LocalAws, tmp_path: Path) -> None:
    script = "import os, sys\nopen(os.environ['SM_OUTPUT_DATA_DIR'] + '/kept', 'w')\nsys.exit(3)\n"
    with ended(local, "exits", tmp_path, script) as job:
        log = local.job_log("exits")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith(
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 3\nErrorMessage "
    )
    assert job["FailureReason"].endswith(", exit code: 1")
    assert "train.py" in job["FailureReason"]
    assert any("Failed after" in line for line in log)
    kept = tmp_path.parent / "exits-output" / "exits" / "output" / "output.tar.gz"
    assert kept.is_file()


def test_a_script_that_raises_is_quoted_and_placed(local: LocalAws, tmp_path: Path) -> None:
    script = "def train():\n    raise KeyError('label')\n\ntrain()\n"
    with ended(local, "raises", tmp_path, script) as job:
        log = local.job_log("raises")
    assert job["FailureReason"] == (
        "AlgorithmError: ExecuteUserScriptError:\n"
        "ExitCode 1\n"
        "ErrorMessage \"KeyError: 'label'\"\n"
        'ExtraInfo "raised at train.py:2"\n'
        f'Command "{sys.executable} -- train.py", exit code: 1'
    )
    assert "KeyError: 'label'" in log


def test_the_scripts_own_words_win(local: LocalAws, tmp_path: Path) -> None:
    script = (
        "import os, pathlib\n"
        "folder = pathlib.Path(os.environ['SM_OUTPUT_DIR'])\n"
        "(folder / 'failure').write_text('The data has no labels.')\n"
        "raise SystemExit(1)\n"
    )
    with ended(local, "says-why", tmp_path, script) as job:
        reason = job["FailureReason"]
    assert reason == "AlgorithmError: The data has no labels., exit code: 1"


def test_a_script_that_does_not_parse(local: LocalAws, tmp_path: Path) -> None:
    with ended(local, "does-not-parse", tmp_path, "epochs = = 3\n") as job:
        assert "SyntaxError: invalid syntax" in job["FailureReason"]


def test_a_script_that_is_not_there(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    local.train("no-script", tmp_path)
    reason = local.wait_ended("no-script")["FailureReason"]
    local.sagemaker.delete_training_job(TrainingJobName="no-script")
    assert "can't open file 'train.py': [Errno 2] No such file or directory" in reason
    assert "main.py" in reason


def test_a_channel_without_data_is_refused_at_once(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    for uri, message in (
        (
            "s3://gone/data/",
            'No S3 objects found under S3 URL "s3://gone/data/" given in input data source. '
            "Please ensure that the bucket exists in the selected region (us-east-1), that "
            f'objects exist under that S3 prefix, and that the role "{ROLE}" has '
            '"s3:ListBucket" permissions on bucket "gone".',
        ),
        (
            "file:///gone/data",
            'No files found under "file:///gone/data" given in input data source.',
        ),
    ):
        asked = a_training_job("no-data", tmp_path, InputDataConfig=a_channel(uri))
        with pytest.raises(ClientError) as caught:
            local.sagemaker.create_training_job(**asked)
        assert caught.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": message,
        }


def test_source_that_is_not_there_fails_the_job(local: LocalAws, tmp_path: Path) -> None:
    uri = {"sagemaker_submit_directory": "s3://gone/sourcedir.tar.gz"}
    local.train("no-source", tmp_path, HyperParameters=uri)
    job = local.wait_ended("no-source")
    local.sagemaker.delete_training_job(TrainingJobName="no-source")
    assert job["FailureReason"].startswith("ClientError: Data download failed: source: ")
    assert "s3://gone/sourcedir.tar.gz" in job["FailureReason"]


def test_a_job_that_is_deleted_as_soon_as_it_has_ended_does_not_run_again(
    local: LocalAws, tmp_path: Path
) -> None:
    jobs = local.home.root / "jobs"
    before = set(jobs.iterdir())
    script = f"open({str(tmp_path / 'runs')!r}, 'a').write('run\\n')\nepochs = int('many')\n"
    for number in range(5):
        with ended(local, f"deleted-{number}", tmp_path, script) as job:
            assert job["TrainingJobStatus"] == "Failed"
    eventually(lambda: not local.processes(jobs), "every runner has ended")
    assert (tmp_path / "runs").read_text() == 5 * "run\n"
    assert set(jobs.iterdir()) == before
