"""What the configuration file may say, key by key, and what holds where it says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

DEFAULT_ENVIRONMENT = "local"
PRODUCTION = "production"
LOCAL_INSTANCE_TYPES = frozenset({"local", "local_gpu"})

# What an environment variable SAGELET_<KEY> may override. Neither `account` nor `endpoint_url` is
# among them: the one is a guard, the other must be written down to be used.
OVERRIDABLE = (
    "python",
    "s3",
    "contract",
    "toolkit",
    "runtime",
    "workers",
    "threads",
    "max_batch",
    "park_after",
    "region",
    "profile",
    "bucket",
    "image",
)

Workers = Literal["auto"] | PositiveInt
TrainDistribution = Literal["torch_distributed", "mpi", "pytorchddp", "none"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentSettings(BaseModel):
    """One environment. Keys that are not ours are kept in `raw`, beside ours as they were written.

    `python` is absolute; other paths and URLs are as they were written. `park_after` is in seconds.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    raw: Mapping[str, Any]
    model_name: str | None = None
    aws_role: str | None = None
    instance_type: str | None = None
    model_data_path: str | None = None
    python: Path | None = None
    s3: Literal["local", "aws"] = "local"
    contract: Literal["sane", "strict"] = "sane"
    toolkit: Literal["current", "legacy"] = "current"
    runtime: Literal["native", "docker"] = "native"
    workers: Workers = "auto"
    threads: PositiveInt = 1
    max_batch: PositiveInt | None = None
    park_after: PositiveInt | None = None
    pass_credentials: bool = False
    region: str | None = None
    profile: str | None = None
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    bucket: str | None = None
    image: str | None = None
    endpoint_url: Annotated[str, Field(pattern=r"^https?://[^/]+")] | None = None
    s3_endpoint_url: Annotated[str, Field(pattern=r"^https?://[^/]+")] | None = None

    @field_validator("account", mode="before")
    @classmethod
    def _account_is_text(cls, value: object) -> object:
        if isinstance(value, int):
            raise ValueError("write the account in quotes: as a number it loses leading zeros")
        return value

    @property
    def is_local(self) -> bool:
        """Whether this environment is the daemon on this machine.

        An `endpoint_url` makes an environment remote, whatever its name. Otherwise it is local if
        it is named `local` or its instance type is `local` or `local_gpu`.
        """
        if self.endpoint_url is not None:
            return False
        return self.name == DEFAULT_ENVIRONMENT or self.instance_type in LOCAL_INSTANCE_TYPES

    @property
    def reads_aws(self) -> bool:
        """Whether this environment computes here, and its buckets are AWS's."""
        return self.is_local and self.s3 == "aws"

    @property
    def is_production(self) -> bool:
        """Whether this is the environment named `production`; no other name counts."""
        return self.name == PRODUCTION


OURS = tuple(name for name in EnvironmentSettings.model_fields if name not in ("name", "raw"))


class ServeSettings(_Section):
    """`serve:` what `sagelet deploy` packs. Paths are relative to the project."""

    source: Path = Path()
    entry_point: Path
    model: Path | None = None
    sample: Path | None = None


class TrainSettings(_Section):
    """`train:` what `sagelet train` runs. Paths are relative to the project."""

    source: Path = Path()
    entry_point: Path
    instance_type: str | None = None
    channels: Mapping[str, str] = {}
    hyperparameters: Mapping[str, Any] = {}
    hosts: PositiveInt = 1
    processes: PositiveInt | None = None
    distribution: TrainDistribution | None = None
    metrics: Mapping[str, str] = {}
    checkpoints: str | None = None

    @field_validator("metrics")
    @classmethod
    def _metrics_compile(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, expression in value.items():
            try:
                groups = re.compile(expression).groups
            except re.error as error:
                raise ValueError(f"the expression of {name!r}: {error}") from error
            if groups < 1:
                raise ValueError(f"the expression of {name!r} has no group for the value")
        return value
