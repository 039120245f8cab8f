"""A case: a job as the toolkit's container finds it, and what its script does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PYTORCH = "sagemaker_pytorch_container.training:main"
SOURCE_URI = "s3://bucket/job/source/sourcedir.tar.gz"

PROBE = """\
import json, os, sys
told = {"argv": sys.argv, "cwd": os.getcwd(), "environ": dict(os.environ), "path": sys.path[0]}
with open("/opt/ml/output/data/probe.json", "w") as file:
    json.dump(told, file)
"""
"""A script that tells what it was given."""

SHELL_PROBE = 'exec python3 /opt/ml/input/probe.py "$0" "$@"\n'


@dataclass(frozen=True)
class JobCase:
    """One job on one host. `hyperparameters` are as in hyperparameters.json: all values are text.

    `files` is the source. `programs` are found first on the path; `wheels` are modules to install,
    by name and version. Where `machine` differs, nothing but the exit is compared.
    """

    name: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    entry: str = "train.py"
    files: Mapping[str, str] = field(default_factory=lambda: {"train.py": PROBE})
    channels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hosts: tuple[str, ...] = ("algo-1",)
    host: str = "algo-1"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    module: str = PYTORCH
    programs: Mapping[str, str] = field(default_factory=dict)
    wheels: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_hyperparameters(self) -> dict[str, str]:
        """The script's own, and those that SDK v2 adds."""
        added = {
            "sagemaker_program": json.dumps(self.entry),
            "sagemaker_submit_directory": json.dumps(SOURCE_URI),
            "sagemaker_container_log_level": "20",
            "sagemaker_job_name": '"oracle-job"',
            "sagemaker_region": '"us-east-1"',
        }
        return {**added, **self.hyperparameters}

    @property
    def all_groups(self) -> Mapping[str, tuple[str, ...]]:
        """The instance groups; one where none are named."""
        return self.groups or {"homogeneousCluster": self.hosts}

    @property
    def digest(self) -> str:
        """Changes when the case does."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]

    def resource_config(self) -> dict[str, Any]:
        """Return what the platform writes into resourceconfig.json."""
        mine = next(name for name, hosts in self.all_groups.items() if self.host in hosts)
        return {
            "current_host": self.host,
            "current_instance_type": "ml.m5.xlarge",
            "current_group_name": mine,
            "hosts": sorted(self.hosts),
            "instance_groups": [
                {
                    "instance_group_name": name,
                    "instance_type": "ml.m5.xlarge",
                    "hosts": sorted(hosts),
                }
                for name, hosts in self.all_groups.items()
            ],
            "network_interface_name": "eth0",
        }
