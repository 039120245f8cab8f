"""The AWS command line, after `eval "$(sagelet env)"`, in an environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.local_aws import REPOSITORY, LocalAws

AWS = REPOSITORY / ".venv-aws" / "bin" / "aws"
SIZE = 20 * 2**20

TRAIN = """
import os, pathlib
print("training", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("trained")
"""
ECHO = """
def model_fn(model_dir):
    return "echo"

def transform_fn(model, data, content_type, accept):
    return data, content_type
"""


@dataclass(frozen=True)
class AwsCli:
    """`aws` with the variables of `sagelet env`, as a shell has them after eval."""

    local: LocalAws
    variables: dict[str, str]
    folder: Path

    def __call__(self, *arguments: str | Path) -> str:
        """Run it and return what it printed."""
        return self.local.run(AWS, *arguments, cwd=self.folder, **self.variables)

    def document(self, *arguments: str | Path) -> Any:  # noqa: ANN401  any JSON
        """Run it and return the document that it printed."""
        return json.loads(self(*arguments))


@pytest.fixture(scope="module")
def aws(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> AwsCli:
    variables = json.loads(local.sagelet("env", "--format", "json").stdout)
    return AwsCli(local, variables, tmp_path_factory.mktemp("aws"))


@pytest.fixture(scope="module", autouse=True)
def resources(local: LocalAws, aws: AwsCli) -> Iterator[None]:
    """A job that has ended and an endpoint that comes up, both named `by-cli`."""
    source, model = aws.folder / "source", aws.folder / "model"
    source.mkdir()
    model.mkdir()
    (source / "train.py").write_text(TRAIN)
    (model / "inference.py").write_text(ECHO)
    local.train("by-cli", source)
    local.deploy("by-cli", model)
    local.wait_ended("by-cli")
    yield
    local.sagemaker.delete_endpoint(EndpointName="by-cli")


def test_a_shell_takes_the_variables_over(local: LocalAws, aws: AwsCli) -> None:
    script = 'eval "$("$@" env)" && printf %s "$AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"'
    printed = local.run("sh", "-c", script, "sh", sys.executable, "-m", "sagelet", cwd=aws.folder)
    assert printed == local.info.address


def test_endpoints_are_waited_for_and_listed(aws: AwsCli) -> None:
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "by-cli")
    listed = aws.document("sagemaker", "list-endpoints", "--name-contains", "by-cli")
    assert [each["EndpointStatus"] for each in listed["Endpoints"]] == ["InService"]


def test_a_training_job_is_described(aws: AwsCli) -> None:
    described = aws.document("sagemaker", "describe-training-job", "--training-job-name", "by-cli")
    assert described["TrainingJobStatus"] == "Completed"


def test_a_log_is_read(aws: AwsCli) -> None:
    group = "/aws/sagemaker/TrainingJobs"
    streams = aws.document(
        "logs", "describe-log-streams", "--log-group-name", group,
        "--log-stream-name-prefix", "by-cli/",
    )["logStreams"]  # fmt: skip
    events = aws.document(
        "logs", "get-log-events", "--log-group-name", group,
        "--log-stream-name", streams[0]["logStreamName"], "--start-from-head",
    )["events"]  # fmt: skip
    assert "training" in [event["message"] for event in events]


def test_an_endpoint_is_invoked(aws: AwsCli) -> None:
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "by-cli")
    (aws.folder / "payload.json").write_text('[["été"]]', encoding="utf-8")
    answered = aws.document(
        "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "by-cli",
        "--content-type", "application/json", "--body", "file://payload.json", "answer.json",
    )  # fmt: skip
    assert answered["InvokedProductionVariant"] == "AllTraffic"
    assert json.loads((aws.folder / "answer.json").read_text(encoding="utf-8")) == [["été"]]


def test_files_of_many_parts_go_up_and_come_down_whole(aws: AwsCli) -> None:
    sent = aws.folder / "sent.bin"
    sent.write_bytes(os.urandom(SIZE))
    aws("s3", "mb", "s3://by-cli")
    aws("s3", "cp", "--no-progress", "sent.bin", "s3://by-cli/deep/er/été.bin")
    listed = aws("s3", "ls", "--recursive", "s3://by-cli")
    assert listed.split()[-2:] == [str(SIZE), "deep/er/été.bin"]
    aws("s3", "cp", "--no-progress", "s3://by-cli/deep/er/été.bin", "received.bin")
    received = (aws.folder / "received.bin").read_bytes()
    assert hashlib.sha256(received).digest() == hashlib.sha256(sent.read_bytes()).digest()
    assert "by-cli" in aws("s3", "ls")


def test_the_caller_is_told_who_it_is(aws: AwsCli) -> None:
    assert aws.document("sts", "get-caller-identity")["Account"] == "000000000000"
