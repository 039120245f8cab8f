"""A person starts a project with our program alone: init, train, deploy, invoke, look, tidy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.local_aws import LocalAws, eventually

WAITING = """
import os, pathlib, time
print("first", flush=True)
while not pathlib.Path({go!r}).exists():
    time.sleep(0.01)
print("last", flush=True)
"""


@pytest.fixture(scope="module")
def project(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sagelet init` writes."""
    folder = tmp_path_factory.mktemp("story") / "line-fit"
    local.sagelet("init", str(folder))
    return folder


@pytest.fixture(scope="module")
def job(local: LocalAws, project: Path) -> dict[str, Any]:
    """The project, trained."""
    trained = local.sagelet("train", "--json", "-p", "epochs=100", cwd=project)
    described: dict[str, Any] = json.loads(trained.stdout)
    return described


@pytest.fixture(scope="module")
def endpoint(local: LocalAws, project: Path, job: dict[str, Any]) -> dict[str, Any]:
    """What the job made, deployed."""
    deployed = local.sagelet("deploy", "--model", "latest", "--json", cwd=project)
    facts: dict[str, Any] = json.loads(deployed.stdout)
    return facts


def test_a_new_project_trains_with_the_parameters_of_the_command_line(
    job: dict[str, Any],
) -> None:
    assert job["TrainingJobStatus"] == "Completed"
    assert job["HyperParameters"]["epochs"] == "100"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/model.tar.gz")
    assert [metric["MetricName"] for metric in job["FinalMetricDataList"]] == ["loss"]
    assert "ResponseMetadata" not in job


def test_the_latest_model_is_deployed_and_answers(
    local: LocalAws, project: Path, endpoint: dict[str, Any]
) -> None:
    answered = local.sagelet("invoke", "-d", "[[0.5]]", cwd=project)
    assert json.loads(answered.stdout)[0][0] == pytest.approx(2.0, abs=0.5)
    piped = local.sagelet("invoke", endpoint["endpoint"], "-f", "-", stdin="[[0.5]]")
    assert piped.stdout == answered.stdout


def test_a_second_deployment_changes_nothing(
    local: LocalAws, project: Path, endpoint: dict[str, Any]
) -> None:
    plan = local.sagelet("deploy", "--model", "latest", "--dry-run", cwd=project).stdout
    assert all(line.startswith("keep") for line in plan.splitlines()), plan


def test_ls_and_describe_tell_what_there_is(
    local: LocalAws, job: dict[str, Any], endpoint: dict[str, Any]
) -> None:
    listed = json.loads(local.sagelet("ls", "--json").stdout)
    assert job["TrainingJobName"] in [each["TrainingJobName"] for each in listed["jobs"]]
    assert endpoint["model"] in [each["ModelName"] for each in listed["models"]]
    described = json.loads(local.sagelet("describe", endpoint["endpoint"], "--json").stdout)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == endpoint["config"]
    table = local.sagelet("ls", "endpoints").stdout
    assert table.splitlines()[0].split() == ["ENDPOINTS", "STATUS", "CREATED"]
    assert any(row.split()[:2] == ["line-fit", "InService"] for row in table.splitlines())


def test_the_log_of_an_ended_job_is_shown_and_searched(
    local: LocalAws, job: dict[str, Any]
) -> None:
    name = job["TrainingJobName"]
    whole = local.sagelet("logs", name).stdout
    assert "epoch=50 loss=" in whole
    followed = local.sagelet("logs", "-f", name).stdout
    assert followed == whole
    found = local.sagelet("logs", name, "--search", "epoch=100", "--jsonl").stdout
    assert json.loads(found)["message"].startswith("epoch=100 loss=")


def test_the_log_of_a_running_job_is_followed_to_its_end(local: LocalAws, tmp_path: Path) -> None:
    go = tmp_path / "go"
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(WAITING.format(go=str(go)))
    (source / "sagelet.yml").write_text(
        "environments: {local: {model_name: followed}}\ntrain: {entry_point: train.py}\n"
    )
    started = local.sagelet("train", "--detach", "--json", "--name", "followed", cwd=source)
    assert json.loads(started.stdout) == {"TrainingJobName": "followed"}
    with subprocess.Popen(
        [sys.executable, "-m", "sagelet", "logs", "-f", "followed"],
        env=local.environment,
        cwd=source,
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        seen = []
        for line in follower.stdout:
            seen.append(line.strip())
            if line.strip() == "first":
                go.touch()
        assert follower.wait(10) == 0
    assert seen.index("first") < seen.index("last")
    assert seen[-1].startswith("Training job followed: Completed")


def test_a_script_that_fails_ends_the_program_with_1_and_its_own_code_in_the_document(
    local: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text("import sys\nprint('no data')\nsys.exit(3)\n")
    (tmp_path / "sagelet.yml").write_text(
        "environments: {local: {model_name: failing}}\ntrain: {entry_point: train.py}\n"
    )
    failed = local.sagelet("train", "--json", cwd=tmp_path, code=1)
    document = json.loads(failed.stdout)
    assert document["ExitCode"] == 3
    assert document["error"]["code"] == "OperationFailed"
    assert "ExitCode 3" in document["error"]["message"]
    assert "no data" in failed.stderr


def test_what_does_not_exist_is_4(local: LocalAws) -> None:
    missing = local.sagelet("describe", "nobody", "--json", code=4)
    error = json.loads(missing.stdout)["error"]
    assert error["message"].startswith("no endpoint or job or model or config is named 'nobody'")
    assert local.sagelet("logs", "nobody", code=4).stdout == ""
    asked = local.sagelet("invoke", "nobody", "-d", "[]", code=4)
    assert "Endpoint nobody of account 000000000000 not found." in asked.stderr


def test_bad_usage_is_2(local: LocalAws, tmp_path: Path) -> None:
    suggested = local.sagelet("trian", code=2)
    assert "did you mean 'train'?" in suggested.stderr
    assert "no configuration file" in local.sagelet("train", cwd=tmp_path, code=2).stderr
    local.sagelet("ls", "gadgets", code=2)
    twice = local.sagelet("invoke", "line-fit", "-d", "1", "-f", "-", code=2)
    assert "give the payload once" in twice.stderr


def test_rm_asks_first_and_takes_what_stands_behind_an_endpoint(
    local: LocalAws, project: Path, endpoint: dict[str, Any]
) -> None:
    refused = local.sagelet("rm", endpoint["endpoint"], code=2)
    assert "--yes" in refused.stderr
    removed = json.loads(local.sagelet("rm", endpoint["endpoint"], "-y", "--json").stdout)
    assert removed["deleted"] == [
        f"endpoint/{endpoint['endpoint']}",
        f"config/{endpoint['config']}",
        f"model/{endpoint['model']}",
    ]

    def gone() -> bool:
        names = [each["EndpointName"] for each in local.sagemaker.list_endpoints()["Endpoints"]]
        return endpoint["endpoint"] not in names

    eventually(gone, "the endpoint is gone")
    local.sagelet("describe", endpoint["endpoint"], code=4)


def test_an_ended_job_is_removed_with_its_folder(local: LocalAws, job: dict[str, Any]) -> None:
    name = job["TrainingJobName"]
    folders = len(list((local.home.root / "jobs").iterdir()))
    local.sagelet("rm", f"job/{name}", "-y")
    local.sagelet("describe", name, code=4)
    assert len(list((local.home.root / "jobs").iterdir())) == folders - 1
