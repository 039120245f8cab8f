"""The environment variables that point unmodified AWS clients at the daemon: `sagelet env`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from sagelet.domain.account import LOCAL_ACCOUNT_ID
from sagelet.domain.home import Home
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.daemon import DaemonInfo
from sagelet.environments.whole_files import write_whole

# The names that botocore makes of the services' ids.
SERVICES = (
    "SAGEMAKER",
    "SAGEMAKER_RUNTIME",
    "S3",
    "CLOUDWATCH_LOGS",
    "STS",
    "IAM",
    "ECR",
    "CLOUDWATCH",
    "APPLICATION_AUTO_SCALING",
)

# What a shell must not keep: each would send a client elsewhere, or sign with half of another key.
CONFLICTING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def client_variables(
    info: DaemonInfo,
    credentials: LocalCredentials,
    region: str,
    *,
    sdk_config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables, in the order to print them in.

    `sdk_config` is the file that `write_sdk_config` wrote. With `environ` given and a proxy set in
    it, NO_PROXY is among the variables: botocore would ask the proxy for loopback otherwise.
    """
    variables = {
        "AWS_ENDPOINT_URL": info.address,
        **{f"AWS_ENDPOINT_URL_{service}": info.address for service in SERVICES},
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if sdk_config is not None:
        variables["SAGEMAKER_USER_CONFIG_OVERRIDE"] = str(sdk_config)
    return variables | _no_proxy(environ or {})


def write_sdk_config(home: Home, region: str) -> Path:
    """Write the configuration that keeps the SageMaker SDK off the real STS; return its path.

    The SDK asks `https://sts.<region>.amazonaws.com`, whatever AWS_ENDPOINT_URL says, unless it is
    told its default bucket.
    """
    modules = {
        "TelemetryOptOut": True,
        "Session": {"DefaultS3Bucket": f"sagemaker-{region}-{LOCAL_ACCOUNT_ID}"},
    }
    text = yaml.safe_dump(
        {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}, sort_keys=False
    )
    file = home.root / f"sagemaker-sdk-{region}.yaml"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_whole(file, text, mode=0o600)
    return file


def _no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    if not any(environ.get(name) for name in _PROXIES):
        return {}
    known = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    names = [name.strip() for name in known if name.strip()]
    merged = ",".join(dict.fromkeys((*names, *_LOOPBACK_NAMES)))
    return {"NO_PROXY": merged, "no_proxy": merged}
