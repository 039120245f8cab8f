from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagelet.environments.clients import (
    READ_TIMEOUT_S,
    LocalTarget,
    local_session,
    refuse_loopback,
    remote_session,
)
from sagelet.environments.config import EnvironmentSettings
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.translation import translating
from sagelet.errors import InheritedEndpoint, NoCredentials, RemoteUnreachable

TARGET = LocalTarget("http://127.0.0.1:9", LocalCredentials("KEY", "SECRET"), "eu-west-1")


@pytest.fixture
def aws_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def production(**keys: str) -> EnvironmentSettings:
    return EnvironmentSettings.model_validate({"name": "production", "raw": {}, **keys})


def session_of(
    settings: EnvironmentSettings,
    environ: Mapping[str, str] | None = None,
    on_note: Callable[[str], None] = print,
) -> boto3.Session:
    return remote_session(settings, region="us-east-1", environ=environ or {}, on_note=on_note)


def local() -> boto3.Session:
    return local_session(TARGET, project=Path("/p"), variables={})


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "s3", "logs", "sts", "iam"])
def test_every_local_client_talks_to_the_daemon(service: str) -> None:
    make: Any = local().client
    client = make(service)
    assert client.meta.endpoint_url == TARGET.address
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.read_timeout == READ_TIMEOUT_S
    assert client.meta.config.proxies == {}


def test_a_local_session_ignores_the_users_aws_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles = tmp_path / "config"
    profiles.write_text("[profile other]\nregion = ap-south-1\nendpoint_url = http://x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    session = local()
    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.token) == ("KEY", None)
    assert session.client("s3").meta.endpoint_url == TARGET.address
    assert session.resource("s3").meta.client.meta.endpoint_url == TARGET.address


@pytest.mark.usefixtures("aws_keys")
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"])
def test_an_endpoint_inherited_from_the_shell_is_refused(variable: str) -> None:
    with pytest.raises(InheritedEndpoint, match=f"^{variable} points") as raised:
        session_of(production(), {variable: "http://127.0.0.1:7543"})
    assert raised.value.environment == "production"


@pytest.mark.usefixtures("aws_keys")
def test_an_inherited_endpoint_that_botocore_ignores_is_no_reason_to_refuse() -> None:
    session = session_of(
        production(),
        {"AWS_ENDPOINT_URL": "http://x", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    )
    assert session.client("sagemaker").meta.endpoint_url.endswith("amazonaws.com")


@pytest.mark.usefixtures("aws_keys")
def test_a_configured_address_is_used_for_every_service_and_said_once() -> None:
    notes: list[str] = []
    settings = production(endpoint_url="http://127.0.0.1:5000")
    session = session_of(settings, {"AWS_ENDPOINT_URL": "http://elsewhere"}, notes.append)
    make: Any = session.client
    for service in ("sagemaker", "s3", "sts"):
        assert make(service).meta.endpoint_url == "http://127.0.0.1:5000"
    assert len(notes) == 1
    assert "http://127.0.0.1:5000" in notes[0]


def test_a_profile_that_points_at_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles = tmp_path / "config"
    profiles.write_text(
        "[profile dev]\nendpoint_url = http://localhost:4566\n"
        "aws_access_key_id = A\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    client = session_of(production(profile="dev")).client("sagemaker")
    with pytest.raises(InheritedEndpoint, match="localhost:4566"):
        refuse_loopback("production", client)


def test_no_credentials_at_all_is_said_before_any_call() -> None:
    with pytest.raises(NoCredentials, match="'production'"):
        session_of(production())


@pytest.mark.usefixtures("aws_keys")
def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(NoCredentials, match="mlops"):
        session_of(production(profile="mlops"))


def test_nobody_at_the_address_is_our_own_error() -> None:
    client = local().client("sagemaker")
    with (
        pytest.raises(RemoteUnreachable, match=r"127\.0\.0\.1:9"),
        translating("ListModels", environment="local"),
    ):
        client.list_models()
