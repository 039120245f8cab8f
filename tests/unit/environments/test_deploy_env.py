from __future__ import annotations

import json
import os
import runpy
from pathlib import Path
from typing import Any

import pytest

import sagelet
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import (
    BadConfig,
    ConfigNotFound,
    InheritedEndpoint,
    NoCredentials,
    UnknownEnvironment,
    UnknownSetting,
)
from sagelet.supervision.process import started_at

CONFIG = """\
environments:
  default: &default
    model_name: pytorch-text-classification
    aws_role: AmazonSageMakerFullAccess
  local:
    <<: *default
    instance_type: local
    model_data_path: 'file://build/model.tar.gz'
    my_own: {a: [1, 2]}
  production:
    <<: *default
    instance_type: ml.t2.medium
    model_data_path: s3://madewithml/model.tar.gz
    region: eu-west-1
    image: null
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "deploy" / "sagemaker"
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def running_daemon(home_path: Path) -> str:
    """What a daemon leaves for others to find; this process stands in for it."""
    address = "http://127.0.0.1:9"
    home_path.mkdir()
    said = {
        "pid": os.getpid(),
        "started_at": started_at(os.getpid()),
        "address": address,
        "version": sagelet.__version__,
    }
    (home_path / "daemon.json").write_text(json.dumps(said), encoding="utf-8")
    return address


def test_the_environment_is_local_unless_something_else_is_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = DeployEnv()
    assert env.current_env() == "local"
    assert env.isLocal()
    assert env.is_local()
    assert not env.isProduction()
    monkeypatch.setenv("DEPLOY_ENV", "")
    assert env.current_env() == "local"


def test_deploy_env_is_read_at_each_call(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = DeployEnv()
    assert env.setting("model_data_path") == "file://build/model.tar.gz"
    monkeypatch.setenv("DEPLOY_ENV", "production")
    assert env.current_env() == "production"
    assert env.isProduction()
    assert env.is_production()
    assert not env.isLocal()
    assert env.setting("model_data_path") == "s3://madewithml/model.tar.gz"


def test_an_environment_that_was_asked_for_outright_beats_deploy_env(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_ENV", "local")
    assert DeployEnv(environment="production").current_env() == "production"


def test_a_setting_is_answered_as_it_was_written(project: Path) -> None:
    env = DeployEnv()
    assert env.setting("instance_type") == "local"
    assert env.setting("my_own") == {"a": [1, 2]}
    assert env.setting("contract") == "sane"
    assert DeployEnv(environment="production").setting("image") is None


def test_an_unknown_setting_names_key_file_and_the_keys_there_are(project: Path) -> None:
    with pytest.raises(UnknownSetting) as raised:
        DeployEnv().setting("model_nam")
    assert raised.value.key == "model_nam"
    assert raised.value.environment == "local"
    assert raised.value.file == str(project / "deploy/sagemaker/config.yml")
    assert raised.value.known[0] == "model_name"
    with pytest.raises(UnknownSetting):
        DeployEnv().setting("bucket")


def test_an_unknown_environment_names_the_environments_there_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_ENV", "staging")
    env = DeployEnv()
    assert env.current_env() == "staging"
    for ask in (env.is_local, env.client, env.session, lambda: env.setting("model_name")):
        with pytest.raises(UnknownEnvironment, match="default, local, production"):
            ask()


def test_the_configuration_beside_the_script_is_found_from_anywhere(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = project / "deploy" / "sagemaker" / "deploy.py"
    script.write_text(
        "from sagelet import DeployEnv\nenv = DeployEnv()\n"
        "class Mine(DeployEnv):\n    pass\nmine = Mine()\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    made: dict[str, Any] = runpy.run_path(str(script))
    for name in ("env", "mine"):
        assert made[name].setting("model_name") == "pytorch-text-classification"
        assert made[name].config.project == project


def test_without_a_file_local_works_and_a_setting_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = DeployEnv(start=tmp_path)
    assert env.is_local()
    with pytest.raises(ConfigNotFound, match=r"sagelet\.yml"):
        env.setting("model_name")


def test_local_clients_are_boto3s_own_and_talk_to_the_daemon(
    project: Path, running_daemon: str
) -> None:
    env = DeployEnv()
    client = env.client()
    assert type(client).__name__ == "SageMaker"
    assert type(env.runtime_client()).__name__ == "SageMakerRuntime"
    for made in (client, env.runtime_client(), env.s3_client(), env.logs_client()):
        assert made.meta.endpoint_url == running_daemon
    assert env.client() is client
    assert env.session().region_name == env.region == "us-east-1"


def test_with_awss_buckets_only_the_client_of_s3_leaves_this_machine(
    project: Path, running_daemon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGELET_S3", "aws")
    monkeypatch.setenv("SAGELET_REGION", "eu-west-1")
    with pytest.raises(NoCredentials):
        DeployEnv().s3_client()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    env = DeployEnv()
    assert env.s3_client().meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"
    assert env.client().meta.endpoint_url == running_daemon
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(InheritedEndpoint):
        DeployEnv().s3_client()


def test_a_client_follows_the_environment(
    project: Path, running_daemon: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    env = DeployEnv()
    assert env.client().meta.endpoint_url == running_daemon
    monkeypatch.setenv("DEPLOY_ENV", "production")
    assert env.client().meta.endpoint_url == "https://api.sagemaker.eu-west-1.amazonaws.com"
    assert env.region == "eu-west-1"


def test_the_configurations_region_beats_the_shells(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert DeployEnv().region == "us-west-2"
    assert DeployEnv(environment="production").region == "eu-west-1"
    assert DeployEnv(environment="production", flags={"region": "x-1"}).region == "x-1"


def test_a_remote_environment_without_a_region_says_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    (tmp_path / "sagelet.yml").write_text("environments: {production: {}}\n", encoding="utf-8")
    with pytest.raises(BadConfig, match="`region:`"):
        DeployEnv(environment="production", start=tmp_path).client()


def test_public_names_have_both_spellings() -> None:
    for camel, snake in (
        ("isLocal", "is_local"),
        ("isProduction", "is_production"),
        ("isDeployed", "is_deployed"),
    ):
        assert getattr(DeployEnv, camel) is getattr(DeployEnv, snake)
