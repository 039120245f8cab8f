"""The role that SageMaker runs a model or a job with."""

from __future__ import annotations

from sagelet.domain.account import LOCAL_ACCOUNT_ID
from sagelet.environments.config import EnvironmentSettings, ProjectConfig

# Nothing checks a role here; SageMaker's API wants one all the same.
_LOCAL_ROLE = f"arn:aws:iam::{LOCAL_ACCOUNT_ID}:role/sagelet"


def role_of(config: ProjectConfig, settings: EnvironmentSettings) -> str:
    """Return `aws_role`, an ARN or a bare name that the client expands.

    Raises:
        BadConfig: the environment is AWS's and names no role.
    """
    if settings.aws_role is not None:
        return settings.aws_role
    if settings.is_local:
        return _LOCAL_ROLE
    raise config.problem(
        ("environments", settings.name), "`aws_role:` is missing: the role that SageMaker works in"
    )
