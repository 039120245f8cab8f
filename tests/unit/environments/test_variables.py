from __future__ import annotations

from pathlib import Path

import yaml

from sagelet.domain.home import Home
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.daemon import DaemonInfo
from sagelet.environments.variables import CONFLICTING, client_variables, write_sdk_config

INFO = DaemonInfo(pid=1, started_at=0.0, address="http://127.0.0.1:7543", version="0.1.0")
KEY = LocalCredentials("KEY", "SECRET")


def test_every_service_is_pointed_at_the_daemon() -> None:
    variables = client_variables(INFO, KEY, "eu-west-1")
    addresses = {n: v for n, v in variables.items() if n.startswith("AWS_ENDPOINT_URL")}
    assert set(addresses.values()) == {"http://127.0.0.1:7543"}
    for service in ("SAGEMAKER", "SAGEMAKER_RUNTIME", "S3", "CLOUDWATCH_LOGS", "STS", "IAM"):
        assert f"AWS_ENDPOINT_URL_{service}" in addresses
    assert variables["AWS_ACCESS_KEY_ID"] == "KEY"
    assert variables["AWS_SECRET_ACCESS_KEY"] == "SECRET"
    assert variables["AWS_DEFAULT_REGION"] == variables["AWS_REGION"] == "eu-west-1"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "false"
    assert not set(variables) & set(CONFLICTING)


def test_a_proxy_is_told_to_leave_loopback_alone() -> None:
    assert "NO_PROXY" not in client_variables(INFO, KEY, "r", environ={})
    variables = client_variables(
        INFO, KEY, "r", environ={"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "corp.example"}
    )
    assert variables["NO_PROXY"] == "corp.example,127.0.0.1,localhost,::1"


def test_the_sagemaker_sdk_is_told_its_bucket(tmp_path: Path) -> None:
    file = write_sdk_config(Home(tmp_path), "eu-west-1")
    modules = yaml.safe_load(file.read_text())["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["Session"]["DefaultS3Bucket"] == "sagemaker-eu-west-1-000000000000"
    assert modules["TelemetryOptOut"] is True
    variables = client_variables(INFO, KEY, "eu-west-1", sdk_config=file)
    assert variables["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(file)


def test_the_sdks_file_is_written_only_when_it_changes(tmp_path: Path) -> None:
    file = write_sdk_config(Home(tmp_path), "eu-west-1")
    inode = file.stat().st_ino
    assert write_sdk_config(Home(tmp_path), "eu-west-1").stat().st_ino == inode
