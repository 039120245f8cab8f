"""The environment of a training script: the platform's variables and the toolkit's SM_* ones.

Names, formats and traps are those of sagemaker-training 5.1.4 in a PyTorch image. Listed
deviations: the network interface is `lo`, MASTER_PORT is a free port instead of 7777 (two jobs
would meet there), and GLOO_SOCKET_IFNAME is set. The user's Environment wins over what the platform
and the image say, and the toolkit's own variables over both; in PYTHONPATH the source comes first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sagelet.domain.training import Host, ToolkitProgram
from sagelet.supervision.inherited import NO_CREDENTIALS
from sagelet.training.distributions import Launch
from sagelet.training.layout import (
    NETWORK_INTERFACE,
    MlTree,
    host_names,
    input_data_config,
    resource_config,
)
from sagelet.training.machine import Machine
from sagelet.training.order import JobOrder
from sagelet.training.rendezvous import Rendezvous
from sagelet.training.toolkit import Hyperparameters, to_arguments

__all__ = [
    "PYTORCH_MODULE",
    "Machine",
    "Rendezvous",
    "environment",
    "format_value",
    "framework_module",
    "platform_variables",
    "toolkit_variables",
]

PYTORCH_MODULE = "sagemaker_pytorch_container.training:main"
DEFAULT_LOG_LEVEL = 20

_IMAGE = {
    "DLC_CONTAINER_TYPE": "training",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "UTF-8",
    "PYTHONUNBUFFERED": "1",
}


def framework_module(image: str) -> str | None:
    """Return the module that an image's toolkit runs: PyTorch's, or none."""
    return PYTORCH_MODULE if "pytorch" in image.lower() else None


def environment(
    order: JobOrder,
    program: ToolkitProgram,
    host: Host,
    *,
    seen: MlTree,
    machine: Machine,
    rendezvous: Rendezvous,
) -> dict[str, str]:
    """Return the whole environment of a host's script; `seen` is the tree as the script sees it."""
    hyperparameters = Hyperparameters.decode(order.hyperparameters)
    variables = {**order.inherited, **NO_CREDENTIALS, **order.credentials}
    variables |= platform_variables(order, host)
    variables |= {**order.environment, **_start(host, hyperparameters)}
    if framework_module(order.image):
        variables |= _framework(variables, machine, rendezvous)
    variables |= toolkit_variables(
        order, program, host, hyperparameters, seen=seen, machine=machine
    )
    paths = (str(seen.code), order.environment.get("PYTHONPATH", ""))
    variables["PYTHONPATH"] = ":".join(path for path in paths if path)
    return {name: value for name, value in variables.items() if _can_be_set(name, value)}


def _can_be_set(name: str, value: str) -> bool:
    """Whether the system has room for such a variable: a hyperparameter's name may hold a `=`."""
    return bool(name) and "=" not in name and "\0" not in name + value


def platform_variables(order: JobOrder, host: Host) -> dict[str, str]:
    """Return what the platform says of a job, and what the image is made with."""
    return {
        **_IMAGE,
        "TRAINING_JOB_NAME": order.name,
        "TRAINING_JOB_ARN": order.arn,
        "AWS_REGION": order.region,
        "CURRENT_HOST": host.name,
        "DMLC_INTERFACE": NETWORK_INTERFACE,
        "GLOO_SOCKET_IFNAME": NETWORK_INTERFACE,
        "PWD": "/",
    }


def _start(host: Host, hyperparameters: Hyperparameters) -> dict[str, str]:
    """What the toolkit's start says of the job."""
    reserved = hyperparameters.reserved
    return {
        "CURRENT_HOST": host.name,
        "SAGEMAKER_JOB_NAME": format_value(reserved.get("sagemaker_job_name")),
        "SAGEMAKER_REGION": format_value(reserved.get("sagemaker_region")),
    }


def _framework(said: Mapping[str, str], machine: Machine, rendezvous: Rendezvous) -> dict[str, str]:
    """What the PyTorch image's toolkit adds; `said` is what there is already."""
    variables = {
        "SAGEMAKER_TRAINING_MODULE": said.get("SAGEMAKER_TRAINING_MODULE", PYTORCH_MODULE),
        "MASTER_ADDR": rendezvous.address,
        "MASTER_PORT": str(rendezvous.port),
        "NCCL_SOCKET_IFNAME": NETWORK_INTERFACE,
        "NCCL_IB_DISABLE": "1",
        "NCCL_DEBUG": "WARN",
    }
    if machine.torch_version:
        variables["SM_DLC_TORCH_VERSION"] = machine.torch_version
    return variables


def format_value(value: Any) -> str:  # noqa: ANN401 - JSON may be anything
    """Write a value as the toolkit does: text as it is, None as nothing, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def toolkit_variables(
    order: JobOrder,
    program: ToolkitProgram,
    host: Host,
    hyperparameters: Hyperparameters,
    *,
    seen: MlTree,
    machine: Machine,
) -> dict[str, str]:
    """Return the SM_* variables; SM_ and the name in capitals, nothing else is changed in it."""
    facts = _facts(order, program, host, hyperparameters, seen=seen, machine=machine)
    own = hyperparameters.script
    values: dict[str, Any] = {
        name: value for name, value in facts.items() if name not in _ONLY_IN_TRAINING_ENV
    }
    values |= {
        "hps": own,
        "framework_params": hyperparameters.framework,
        "channels": sorted(facts["channel_input_dirs"]),
        "user_args": list(to_arguments(own)),
        "training_env": facts,
    }
    values |= {f"channel_{name}": path for name, path in facts["channel_input_dirs"].items()}
    values |= {f"hp_{key}": value for key, value in own.items()}
    return {f"SM_{name.upper()}": format_value(value) for name, value in values.items()}


_ONLY_IN_TRAINING_ENV = frozenset(
    {
        "additional_framework_parameters",
        "channel_input_dirs",
        "distribution_hosts",
        "hyperparameters",
        "is_master",
        "is_modelparallel_enabled",
        "is_smddpmprun_installed",
        "is_smddprun_installed",
        "job_name",
        "master_hostname",
        "topology",
    }
)


def _facts(
    order: JobOrder,
    program: ToolkitProgram,
    host: Host,
    hyperparameters: Hyperparameters,
    *,
    seen: MlTree,
    machine: Machine,
) -> dict[str, Any]:
    """Everything that the toolkit knows of a job, under its own names: SM_TRAINING_ENV."""
    resources = resource_config(order.cluster, host)
    groups = {group["instance_group_name"]: group for group in resources["instance_groups"]}
    launch = Launch.of(order, machine)
    return {
        "additional_framework_parameters": hyperparameters.framework,
        "channel_input_dirs": {
            channel.name: str(seen.channel(channel.name)) for channel in order.channels_of(host)
        },
        "current_host": host.name,
        "current_instance_group": host.group,
        "current_instance_group_hosts": groups[host.group]["hosts"],
        "current_instance_type": host.instance_type,
        "distribution_hosts": list(launch.hosts(host)),
        "distribution_instance_groups": list(launch.groups(host)),
        "framework_module": framework_module(order.image),
        "hosts": host_names(order.cluster),
        "hyperparameters": hyperparameters.script,
        "input_config_dir": str(seen.config),
        "input_data_config": input_data_config(order.channels_of(host)),
        "input_dir": str(seen.input),
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": host.name == launch.master(host),
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": order.environment.get("TRAINING_JOB_NAME", order.name),
        "log_level": hyperparameters.reserved.get(
            "sagemaker_container_log_level", DEFAULT_LOG_LEVEL
        ),
        "master_hostname": launch.master(host),
        "model_dir": str(seen.model),
        "module_dir": _module_dir(program, seen),
        "module_name": program.entry_point.removesuffix(".py"),
        "network_interface_name": NETWORK_INTERFACE,
        "num_cpus": machine.cpus,
        "num_gpus": len(launch.gpus_of(host)),
        "num_neurons": 0,
        "output_data_dir": str(seen.output_data),
        "output_dir": str(seen.output),
        "output_intermediate_dir": str(seen.output / "intermediate"),
        "resource_config": resources,
        "topology": [],
        "user_entry_point": program.entry_point,
    }


def _module_dir(program: ToolkitProgram, seen: MlTree) -> str:
    """The archive's URI, or the code folder where the source was a folder of this machine."""
    uri = program.source_uri
    return uri if uri.startswith("s3://") else str(seen.code)
