"""What AWS, or who stands in for it, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagelet.errors.root import SageletError


class RemoteError(SageletError):
    """A call of an API, ours or AWS's, did not work out."""


@dataclass(eq=False)
class RemoteRefused(RemoteError):
    """The API answered with an error: `headers` are the answer's, `members` the error's others."""

    operation: str
    code: str
    message: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """Name the operation and the API's own words."""
        return f"{self.operation}: {self.code}: {self.message}"


@dataclass(eq=False)
class RemoteUnreachable(RemoteError):
    """Nothing answers at the API's address."""

    address: str
    reason: str = ""

    def sentence(self) -> str:
        """Name the address."""
        return f"nothing answers at {self.address}" + (f" ({self.reason})" if self.reason else "")


@dataclass(eq=False)
class WaitTimedOut(RemoteError):
    """A resource did not reach the state waited for in time."""

    what: str
    waited_s: float
    status: str

    def sentence(self) -> str:
        """Say how long, and where it stands."""
        return f"{self.what} is still {self.status} after {self.waited_s:.0f} s"


@dataclass(eq=False)
class OperationFailed(RemoteError):
    """A job or an endpoint ended in a failure of its own; `reason` is its FailureReason."""

    what: str
    reason: str
    exit_code: int | None = None

    def sentence(self) -> str:
        """Give the reason."""
        return f"{self.what} failed: {self.reason}"


@dataclass(eq=False)
class NoCredentials(RemoteError):
    """An environment that is AWS's has no credentials to sign with."""

    environment: str
    reason: str

    def sentence(self) -> str:
        """Name the environment and what the AWS chain said."""
        whose = f" for environment {self.environment!r}" if self.environment else ""
        return f"no AWS credentials{whose}: {self.reason}"


@dataclass(eq=False)
class WrongAccount(RemoteError):
    """The credentials are another account's than the one that the configuration names."""

    environment: str
    wanted: str
    actual: str
    identity: str

    def sentence(self) -> str:
        """Name both accounts and who is asking."""
        return (
            f"environment {self.environment!r} is for account {self.wanted}, and the credentials "
            f"({self.identity}) are of account {self.actual}"
        )
