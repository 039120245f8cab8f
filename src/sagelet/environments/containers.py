"""How a project's settings travel inside plain AWS documents.

CreateModel and CreateTrainingJob know nothing of interpreters or projects, so a local client puts
them where a container would look: in `Environment`, and in absolute `file://` URLs.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sagelet.domain.account import LOCAL_ACCOUNT_ID
from sagelet.domain.variables import (
    CONTRACT,
    MAX_BATCH,
    PARK_AFTER,
    PASS_CREDENTIALS,
    PYTHON,
    S3,
    S3_ENDPOINT,
    S3_PROFILE,
    S3_REGION,
    THREADS,
    TOOLKIT,
)
from sagelet.environments.settings import EnvironmentSettings

_FILE = "file://"
_URL_KEYS = frozenset({"ModelDataUrl", "S3Uri", "S3OutputPath"})
_SUBMIT_DIRECTORY = "sagemaker_submit_directory"
_ROLE_KEYS = ("RoleArn", "ExecutionRoleArn")


# A key of an environment, and the variable that a container reads it from.
_VARIABLES = {
    "threads": THREADS,
    "contract": CONTRACT,
    "toolkit": TOOLKIT,
    "workers": "SAGEMAKER_MODEL_SERVER_WORKERS",
    "max_batch": MAX_BATCH,
    "park_after": PARK_AFTER,
    "pass_credentials": PASS_CREDENTIALS,
}
PORT = "SAGEMAKER_BIND_TO_PORT"


def container_variables(settings: EnvironmentSettings) -> dict[str, str]:
    """Return the variables that tell a local container what the configuration says.

    Only what was written down is there; the daemon has the defaults.
    """
    variables = {}
    if settings.python is not None:
        variables[PYTHON] = str(settings.python)
    for key, name in _VARIABLES.items():
        if settings.raw.get(key) is not None:
            variables[name] = str(getattr(settings, key))
    return variables | _s3_variables(settings)


def _s3_variables(settings: EnvironmentSettings) -> dict[str, str]:
    """Return what tells where s3:// leads; nothing where it leads to our own buckets."""
    if settings.s3 != "aws":
        return {}
    said = {
        S3: settings.s3,
        S3_PROFILE: settings.profile,
        S3_REGION: settings.region,
        S3_ENDPOINT: settings.s3_endpoint_url,
    }
    return {name: value for name, value in said.items() if value}


def absolute_file_url(url: str, project: Path) -> str:
    """Return a `file://` URL with its path made absolute against the project; others unchanged."""
    if not url.startswith(_FILE):
        return url
    rest = url.removeprefix(_FILE)
    if rest.startswith("localhost/"):
        rest = rest.removeprefix("localhost")
    return (project / unquote(rest)).absolute().as_uri()


def for_local(
    document: Mapping[str, Any], *, project: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Return CreateModel's or CreateTrainingJob's parameters as the local daemon needs them.

    What the caller wrote into `Environment` stands. A role's bare name becomes an ARN of the local
    account: botocore refuses what is shorter than an ARN before it is sent.
    """
    with_arn = with_role_arn(document, lambda role: f"arn:aws:iam::{LOCAL_ACCOUNT_ID}:role/{role}")
    changed: dict[str, Any] = copy.deepcopy(with_arn)
    _make_absolute(changed, project)
    for container in _containers(changed):
        environment = {**variables, **container.get("Environment", {})}
        if environment:
            container["Environment"] = environment
    return changed


def with_role_arn(document: Mapping[str, Any], arn_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the parameters with a role's bare name replaced by its ARN."""
    changed = dict(document)
    for key in _ROLE_KEYS:
        role = changed.get(key)
        if isinstance(role, str) and role and not role.startswith("arn:"):
            changed[key] = arn_of(role)
    return changed


def _containers(document: dict[str, Any]) -> list[dict[str, Any]]:
    if "TrainingJobName" in document:
        return [document]
    containers = [document.get("PrimaryContainer"), *document.get("Containers", ())]
    return [container for container in containers if isinstance(container, dict)]


def _make_absolute(value: object, project: Path) -> None:
    if isinstance(value, list):
        for item in value:
            _make_absolute(item, project)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in _URL_KEYS and isinstance(item, str):
            value[key] = absolute_file_url(item, project)
        elif key == "HyperParameters" and isinstance(item, dict):
            _make_submit_directory_absolute(item, project)
        elif key not in ("Environment", "Tags"):
            _make_absolute(item, project)


def _make_submit_directory_absolute(hyperparameters: dict[str, Any], project: Path) -> None:
    # The SageMaker SDK encodes each value as JSON; a person who calls boto3 may not.
    written = hyperparameters.get(_SUBMIT_DIRECTORY)
    if not isinstance(written, str):
        return
    if written.startswith(f'"{_FILE}'):
        hyperparameters[_SUBMIT_DIRECTORY] = json.dumps(
            absolute_file_url(json.loads(written), project)
        )
    else:
        hyperparameters[_SUBMIT_DIRECTORY] = absolute_file_url(written, project)
