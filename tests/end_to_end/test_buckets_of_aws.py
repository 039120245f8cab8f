"""`s3: aws`: what is computed here reads and writes AWS's buckets, which moto's server plays."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws
from tests.moto_server import aws_files, moto_server, s3_client

CONFIG = """
environments:
  local:
    model_name: far-data
    s3: aws
    profile: mlops
    region: us-east-1
    bucket: {bucket}
    s3_endpoint_url: {address}
serve: {{source: serving, entry_point: serving/serve.py}}
train: {{entry_point: train.py, channels: {{training: 's3://{bucket}/data/'}}}}
"""
TRAIN = """
import os, pathlib
rows = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"], "rows.csv").read_text()
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(f"model of {rows}")
"""
SERVE = """
import pathlib


def model_fn(model_dir):
    return pathlib.Path(model_dir, "model.txt").read_text()


def transform_fn(model, data, content_type, accept):
    return '"' + model + '"', "application/json"
"""
BUCKET = "far-bucket"


@dataclass(frozen=True)
class Project:
    local: LocalAws
    folder: Path
    s3: Any

    def sagelet(self, *arguments: str) -> None:
        self.local.sagelet(*arguments, cwd=self.folder)

    def answer(self, endpoint: str) -> object:
        """What an endpoint answers to nothing."""
        said = self.local.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=b"{}", ContentType="application/json"
        )
        return json.loads(said["Body"].read())


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project whose data are in AWS's bucket, and a daemon that has a profile for it."""
    with moto_server(tmp_path) as address:
        s3 = s3_client(address)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="data/rows.csv", Body=b"1,2")
        folder = tmp_path / "project"
        (folder / "serving").mkdir(parents=True)
        (folder / "sagelet.yml").write_text(CONFIG.format(bucket=BUCKET, address=address))
        (folder / "train.py").write_text(TRAIN)
        (folder / "serving" / "serve.py").write_text(SERVE)
        local = LocalAws(Home(tmp_path / "home"), aws_files(tmp_path / "aws", "mlops"))
        local.sagelet("up", "--port", "0")
        try:
            yield Project(local, folder, s3)
        finally:
            local.sagelet("down")


def test_a_project_trains_on_awss_data_and_serves_what_came_of_it(project: Project) -> None:
    project.sagelet("train", "--name", "far-job")
    keys = [item["Key"] for item in project.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    model = next(key for key in keys if key.endswith("/far-job/output/model.tar.gz"))
    assert any(key.endswith("/sourcedir.tar.gz") for key in keys)
    assert not (project.local.home.buckets / BUCKET).exists()

    project.sagelet("deploy", "--model", "far-job")
    assert project.answer("far-data") == "model of 1,2"

    job = project.local.sagemaker.describe_training_job(TrainingJobName="far-job")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/{model}"
    variables = job["Environment"]
    assert variables["SAGELET_S3"] == "aws"
    assert variables["SAGELET_S3_PROFILE"] == "mlops"
    assert not any("KEY" in name for name in variables)

    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in (("model.txt", "far"), ("code/inference.py", SERVE)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    project.s3.put_object(Bucket=BUCKET, Key="m/model.tar.gz", Body=archive.getvalue())
    where = {name: said for name, said in variables.items() if name.startswith("SAGELET_S3")}
    project.local.deploy("direct", f"s3://{BUCKET}/m/model.tar.gz", environment=where)
    project.local.wait_in_service("direct")
    assert project.answer("direct") == "far"
