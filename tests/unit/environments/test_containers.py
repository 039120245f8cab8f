from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagelet.environments.config import load
from sagelet.environments.containers import (
    absolute_file_url,
    container_variables,
    for_local,
    with_role_arn,
)

PROJECT = Path("/projects/text classification")
ARN = "arn:aws:iam::123456789012:role/R"


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        (
            "file://build/model.tar.gz",
            "file:///projects/text%20classification/build/model.tar.gz",
        ),
        ("file:///srv/model.tar.gz", "file:///srv/model.tar.gz"),
        ("file://localhost/srv/m.tar.gz", "file:///srv/m.tar.gz"),
        ("file://a%20b/c", "file:///projects/text%20classification/a%20b/c"),
        ("s3://bucket/model.tar.gz", "s3://bucket/model.tar.gz"),
    ],
)
def test_a_file_url_starts_from_the_project(url: str, absolute: str) -> None:
    assert absolute_file_url(url, PROJECT) == absolute


def test_a_model_gets_absolute_urls_and_the_projects_variables() -> None:
    document = {
        "ModelName": "m",
        "ExecutionRoleArn": "Short",
        "PrimaryContainer": {
            "ModelDataUrl": "file://build/model.tar.gz",
            "Environment": {"SAGELET_THREADS": "7", "URL": "file://mine"},
        },
    }
    completed = for_local(
        document,
        project=PROJECT,
        variables={"SAGELET_THREADS": "2", "SAGELET_PYTHON": "/venv/bin/python"},
    )
    assert completed == {
        "ModelName": "m",
        "ExecutionRoleArn": "arn:aws:iam::000000000000:role/Short",
        "PrimaryContainer": {
            "ModelDataUrl": "file:///projects/text%20classification/build/model.tar.gz",
            "Environment": {
                "SAGELET_THREADS": "7",
                "SAGELET_PYTHON": "/venv/bin/python",
                "URL": "file://mine",
            },
        },
    }


def test_the_callers_document_is_left_as_it_was() -> None:
    document: dict[str, Any] = {"PrimaryContainer": {"ModelDataUrl": "file://build"}}
    for_local(document, project=PROJECT, variables={"A": "b"})
    assert document == {"PrimaryContainer": {"ModelDataUrl": "file://build"}}


def test_every_container_of_a_pipeline_is_completed() -> None:
    completed = for_local(
        {"Containers": [{"ModelDataUrl": "file://a"}, {"Image": "i"}]},
        project=Path("/p"),
        variables={"A": "b"},
    )
    assert completed["Containers"] == [
        {"ModelDataUrl": "file:///p/a", "Environment": {"A": "b"}},
        {"Image": "i", "Environment": {"A": "b"}},
    ]


@pytest.mark.parametrize("encode", [json.dumps, str])
def test_a_training_job_is_completed(encode: Callable[[str], str]) -> None:
    completed = for_local(
        {
            "TrainingJobName": "j",
            "RoleArn": ARN,
            "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "file://data"}}}],
            "OutputDataConfig": {"S3OutputPath": "file://out"},
            "HyperParameters": {
                "sagemaker_submit_directory": encode("file://src"),
                "path": '"file://kept"',
            },
        },
        project=Path("/p"),
        variables={"A": "b"},
    )
    assert completed == {
        "TrainingJobName": "j",
        "RoleArn": ARN,
        "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "file:///p/data"}}}],
        "OutputDataConfig": {"S3OutputPath": "file:///p/out"},
        "HyperParameters": {
            "sagemaker_submit_directory": encode("file:///p/src"),
            "path": '"file://kept"',
        },
        "Environment": {"A": "b"},
    }


def test_a_roles_name_becomes_its_arn_and_an_arn_stays() -> None:
    asked: list[str] = []

    def arn_of(role: str) -> str:
        asked.append(role)
        return ARN

    assert with_role_arn({"RoleArn": "R"}, arn_of) == {"RoleArn": ARN}
    assert with_role_arn({"ExecutionRoleArn": ARN}, arn_of) == {"ExecutionRoleArn": ARN}
    assert with_role_arn({"ModelName": "m"}, arn_of) == {"ModelName": "m"}
    assert asked == ["R"]


def test_only_what_was_written_down_reaches_the_container(tmp_path: Path) -> None:
    (tmp_path / "sagelet.yml").write_text(
        "environments:\n"
        "  local: {}\n"
        "  all: {python: /venv/bin/python, threads: 2, contract: strict, workers: 3, "
        "max_batch: 8, park_after: 600, toolkit: legacy}\n"
        "  same: {threads: 1, workers: auto, contract: sane}\n",
        encoding="utf-8",
    )
    read = load(start=tmp_path, environ={})
    assert container_variables(read.environment("local", flags={}, environ={})) == {}
    assert container_variables(read.environment("all", flags={}, environ={})) == {
        "SAGELET_PYTHON": "/venv/bin/python",
        "SAGELET_THREADS": "2",
        "SAGELET_CONTRACT": "strict",
        "SAGELET_TOOLKIT": "legacy",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
        "SAGELET_MAX_BATCH": "8",
        "SAGELET_PARK_AFTER": "600",
    }
    assert container_variables(read.environment("same", flags={}, environ={})) == {
        "SAGELET_THREADS": "1",
        "SAGELET_CONTRACT": "sane",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "auto",
    }


def test_where_s3_leads_reaches_the_container_if_it_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "sagelet.yml").write_text(
        "environments:\n"
        "  here: {s3: local, profile: mlops, region: eu-west-1}\n"
        "  aws: {s3: aws}\n"
        "  all: {s3: aws, profile: mlops, region: eu-west-1, s3_endpoint_url: 'http://x:1'}\n",
        encoding="utf-8",
    )
    read = load(start=tmp_path, environ={})
    assert container_variables(read.environment("here", flags={}, environ={})) == {}
    assert container_variables(read.environment("aws", flags={}, environ={})) == {
        "SAGELET_S3": "aws"
    }
    assert container_variables(read.environment("all", flags={}, environ={})) == {
        "SAGELET_S3": "aws",
        "SAGELET_S3_PROFILE": "mlops",
        "SAGELET_S3_REGION": "eu-west-1",
        "SAGELET_S3_ENDPOINT_URL": "http://x:1",
    }
