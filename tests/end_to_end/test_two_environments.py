"""The same scripts and commands deploy to this machine and to production, which are emulators here.

moto's server stands in for AWS at the first deployment; a second daemon, on another home, where an
endpoint is updated (moto does not update any) and invoked.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagelet.domain.home import Home
from sagelet.environments import credentials
from tests.end_to_end.documents import ROLE
from tests.end_to_end.local_aws import REGION, REPOSITORY, LocalAws, eventually

MOTO = REPOSITORY / ".venv-aws" / "bin" / "moto_server"
SCRIPTS = REPOSITORY / "examples" / "text-classification" / "deploy" / "sagemaker"
BUCKET = "our-models"

CONFIG = """
environments:
  default: &default
    model_name: {name}
    aws_role: AmazonSageMakerFullAccess
    image: 763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312
  local:
    <<: *default
    instance_type: local
    model_data_path: 'file://build/model.tar.gz'
  production:
    <<: *default
    instance_type: ml.t2.medium
    model_data_path: 's3://{bucket}/model.tar.gz'
    region: {region}
    endpoint_url: {endpoint_url}
    {own_keys}
serve: {{source: ., entry_point: deploy/sagemaker/serve.py, model: experiments/latest}}
"""
SERVE = """
import json
import os
import pathlib

import text_classification


def model_fn(model_dir):
    return pathlib.Path(model_dir, "model.txt").read_text()


def transform_fn(model, data, content_type, accept):
    texts = [text for [text] in json.loads(data)]
    labels = [text_classification.classify(text, model) for text in texts]
    return json.dumps({"labels": labels, "env": os.environ["DEPLOY_ENV"]}), accept
"""
LIBRARY = """
def classify(text, model):
    return f"{model} {len(text)}"
"""
PAYLOAD = '[["abc"]]'


@dataclass(frozen=True)
class Emulator:
    """Something that answers as AWS does: its address, and keys that it takes."""

    address: str
    access_key_id: str
    secret_access_key: str

    @property
    def variables(self) -> dict[str, str]:
        """The keys, as a shell has them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def client(self, service: str) -> Any:  # noqa: ANN401  any of boto3's clients
        """A boto3 client."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.address,
            region_name=REGION,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
        )

    def model_of(self, endpoint: str) -> dict[str, Any]:
        """The model that an endpoint serves."""
        sagemaker = self.client("sagemaker")
        found = sagemaker.describe_endpoint(EndpointName=endpoint)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        name = config["ProductionVariants"][0]["ModelName"]
        model: dict[str, Any] = sagemaker.describe_model(ModelName=name)
        return model


@dataclass(frozen=True)
class Project:
    """A project whose `production` is an emulator."""

    local: LocalAws
    folder: Path
    production: Emulator

    def python(self, script: str, environment: str) -> str:
        """Run one of the project's scripts in an environment, and return what it printed."""
        path = f"deploy/sagemaker/{script}"
        return self.local.run(sys.executable, path, cwd=self.folder, **self.shell(environment))

    def sagelet(self, *arguments: str) -> str:
        """Run our program in production, and return its data."""
        argv = (sys.executable, "-m", "sagelet", *arguments, "-e", "production")
        return self.local.run(*argv, cwd=self.folder, **self.shell("production"))

    def shell(self, environment: str) -> dict[str, str]:
        """What a person's shell has."""
        if environment == "local":
            return {}
        return {"DEPLOY_ENV": environment, **self.production.variables}

    def train(self, what: str) -> None:
        """Make another model."""
        (self.folder / "experiments" / "latest" / "model.txt").write_text(what)


def a_project(
    local: LocalAws, folder: Path, name: str, production: Emulator, own_keys: str = ""
) -> Project:
    """Write a project; `own_keys` are further ones of its environment `production`."""
    scripts = folder / "deploy" / "sagemaker"
    for path in (scripts, folder / "experiments" / "latest", folder / "text_classification"):
        path.mkdir(parents=True)
    for script in ("deploy.py", "test.py"):
        shutil.copy(SCRIPTS / script, scripts)
    (scripts / "serve.py").write_text(SERVE)
    (folder / "text_classification" / "__init__.py").write_text(LIBRARY)
    (scripts / "config.yml").write_text(
        CONFIG.format(
            name=name,
            bucket=BUCKET,
            region=REGION,
            endpoint_url=production.address,
            own_keys=own_keys,
        )
    )
    project = Project(local, folder, production)
    project.train("first")
    return project


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """moto's server, with the role that an account has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        cwd=tmp_path_factory.mktemp("moto"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            eventually(lambda: answers(port), "moto answers")
            moto = Emulator(f"http://127.0.0.1:{port}", "testing", "testing")
            moto.client("iam").create_role(
                RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument="{}"
            )
            yield moto
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Another daemon, on a home of its own."""
    other = LocalAws(Home(tmp_path_factory.mktemp("second") / "home"))
    other.sagelet("up", "--port", "0", "--no-zygote")
    key = credentials.load_or_create(other.home)
    second = Emulator(other.info.address, key.access_key_id, key.secret_access_key)
    yield second
    other.sagelet("down")


def answer_of(printed: str) -> dict[str, Any]:
    """The JSON that test.py prints last."""
    answer: dict[str, Any] = json.loads(printed[printed.index("\n{") :])
    return answer


def test_a_script_deploys_and_invokes_on_this_machine(
    local: LocalAws, tmp_path: Path, moto: Emulator
) -> None:
    project = a_project(local, tmp_path, "script-local", moto)
    project.python("deploy.py", "local")
    assert answer_of(project.python("test.py", "local")) == {
        "labels": ["first 49", "first 53"],
        "env": "local",
    }
    project.train("second")
    project.python("deploy.py", "local")
    assert answer_of(project.python("test.py", "local"))["labels"][0] == "second 49"


def test_the_same_script_deploys_to_production_for_the_first_time(
    local: LocalAws, tmp_path: Path, moto: Emulator
) -> None:
    project = a_project(local, tmp_path, "script-first", moto)
    project.python("deploy.py", "production")
    model = moto.model_of("script-first")
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"s3://{BUCKET}/model.tar.gz"
    assert model["PrimaryContainer"]["Environment"]["DEPLOY_ENV"] == "production"
    assert model["ExecutionRoleArn"].startswith("arn:aws:iam::")
    assert moto.client("s3").head_object(Bucket=BUCKET, Key="model.tar.gz")["ContentLength"] > 0
    listed = local.sagemaker.list_endpoints()["Endpoints"]
    assert "script-first" not in [each["EndpointName"] for each in listed]


def test_the_same_script_updates_what_serves_in_production(
    local: LocalAws, tmp_path: Path, second: Emulator
) -> None:
    project = a_project(local, tmp_path, "script-update", second)
    project.python("deploy.py", "production")
    first = second.model_of("script-update")["ModelName"]
    assert answer_of(project.python("test.py", "production")) == {
        "labels": ["first 49", "first 53"],
        "env": "production",
    }
    project.train("second")
    project.python("deploy.py", "production")
    assert answer_of(project.python("test.py", "production"))["labels"][0] == "second 49"
    assert second.model_of("script-update")["ModelName"] != first


def test_our_program_deploys_to_production_for_the_first_time(
    local: LocalAws, tmp_path: Path, moto: Emulator
) -> None:
    project = a_project(local, tmp_path, "program-first", moto, "bucket: new-models")
    planned = project.sagelet("deploy", "--dry-run")
    assert [line.split()[0] for line in planned.splitlines()] == [
        "create", "upload", "create", "create", "create",
    ]  # fmt: skip
    deployed = json.loads(project.sagelet("deploy", "-y", "--json"))
    assert deployed["endpoint"] == "program-first"
    model = moto.model_of("program-first")
    assert model["ModelName"] == deployed["model"]
    url = model["PrimaryContainer"]["ModelDataUrl"]
    assert url.startswith("s3://new-models/")
    key = url.removeprefix("s3://new-models/")
    assert moto.client("s3").head_object(Bucket="new-models", Key=key)["ContentLength"] > 0
    assert project.sagelet("deploy", "--dry-run").count("keep") == 4


def test_our_program_updates_what_serves_in_production(
    local: LocalAws, tmp_path: Path, second: Emulator
) -> None:
    project = a_project(local, tmp_path, "program-update", second)
    project.sagelet("deploy", "-y")
    assert json.loads(project.sagelet("invoke", "-d", PAYLOAD))["labels"] == ["first 3"]
    project.train("second")
    assert "update endpoint program-update" in project.sagelet("deploy", "--dry-run")
    project.sagelet("deploy", "-y")
    assert json.loads(project.sagelet("invoke", "-d", PAYLOAD))["labels"] == ["second 3"]


def test_production_is_not_touched_unasked(
    local: LocalAws, tmp_path: Path, second: Emulator
) -> None:
    project = a_project(local, tmp_path, "not-asked", second)
    refused = subprocess.run(
        [sys.executable, "-m", "sagelet", "deploy", "-e", "production"],
        cwd=tmp_path,
        env=local.environment | project.shell("production"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert second.address in refused.stderr
    assert "Say so with --yes" in refused.stderr
    listed = second.client("sagemaker").list_endpoints(NameContains="not-asked")
    assert listed["Endpoints"] == []
