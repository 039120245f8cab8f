"""How a job's processes are started on its hosts, as its hyperparameters ask for it.

SageMaker's SDK v2 turns `distribution={"torch_distributed": {"enabled": True}}` into the
hyperparameter `sagemaker_torch_distributed_enabled`, and the container's toolkit reads it there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

PROCESSES_PER_HOST = "sagemaker_mpi_num_of_processes_per_host"
"""How many processes a host runs, for every distribution, whatever its name says."""

INSTANCE_GROUPS = "sagemaker_distribution_instance_groups"
"""A list of the instance groups whose hosts take part; absent: all hosts."""

INSTANCE_TYPE = "sagemaker_instance_type"
"""What SDK v2 sends beside the flag of a distribution."""

MODEL_PARALLEL = "mp_parameters"
"""The configuration of smdistributed's model parallelism, which is started by MPI."""


class Distribution(StrEnum):
    """A way to start a job's processes, named as SDK v2 does."""

    NONE = "none"
    MPI = "mpi"
    PYTORCHDDP = "pytorchddp"
    TORCH_DISTRIBUTED = "torch_distributed"
    SMDDP = "smdistributed.dataparallel"
    XLA = "pytorchxla"


FLAGS: Mapping[Distribution, str] = {
    Distribution.MPI: "sagemaker_mpi_enabled",
    Distribution.PYTORCHDDP: "sagemaker_pytorch_ddp_enabled",
    Distribution.TORCH_DISTRIBUTED: "sagemaker_torch_distributed_enabled",
    Distribution.SMDDP: "sagemaker_distributed_dataparallel_enabled",
    Distribution.XLA: "sagemaker_pytorch_xla_multi_worker_enabled",
}
"""The hyperparameter that asks for each; of several that are set the first here counts."""


def distribution_of(hyperparameters: Mapping[str, str]) -> Distribution:
    """Return the distribution that a job's hyperparameters, as they were sent, ask for."""
    asked = (kind for kind, flag in FLAGS.items() if _is_set(hyperparameters.get(flag, "")))
    return next(asked, Distribution.NONE)


def flags_for(
    distribution: Distribution, *, processes: int | None, instance_type: str
) -> dict[str, object]:
    """Return the hyperparameters that ask for a distribution, as SDK v2 sends them.

    Without a number of `processes` the container starts one for each GPU of a host, or one.
    """
    if distribution is Distribution.NONE:
        return {}
    flags: dict[str, object] = {FLAGS[distribution]: True, INSTANCE_TYPE: instance_type}
    return flags if processes is None else flags | {PROCESSES_PER_HOST: processes}


def _is_set(value: str) -> bool:
    """Whether a hyperparameter is true, as Python sees the value that its text is JSON for."""
    try:
        return bool(json.loads(value))
    except ValueError:
        return bool(value)
