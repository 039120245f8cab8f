"""The account and region that a daemon plays, and the ARNs that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

LOCAL_ACCOUNT_ID = "000000000000"

KeysOf = Callable[[str, Mapping[str, str]], Mapping[str, str]]
"""Tells the variables with the credentials of a job's or an endpoint's code, by its ULID and the
Environment that it was given."""


def no_keys(_ulid: str, _environment: Mapping[str, str]) -> Mapping[str, str]:
    """Hand out nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account in a region."""

    region: str
    id: str = LOCAL_ACCOUNT_ID

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a SageMaker resource; SageMaker lower-cases the name in it.

        `kind` is the ARN's resource type: model, endpoint-config, endpoint or training-job.
        """
        return f"arn:aws:sagemaker:{self.region}:{self.id}:{kind}/{name.lower()}"

    def log_group_arn(self, group: str) -> str:
        """Return the ARN of a CloudWatch Logs group."""
        return f"arn:aws:logs:{self.region}:{self.id}:log-group:{group}"

    def role_arn(self, role: str) -> str:
        """Return the ARN of an IAM role; an ARN is returned as it is."""
        return role if role.startswith("arn:") else f"arn:aws:iam::{self.id}:role/{role}"
