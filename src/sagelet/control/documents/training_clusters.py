"""The hosts that a CreateTrainingJob request asks for, and how it starts their processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sagelet import __version__
from sagelet.control.context import Document
from sagelet.domain.distribution import MODEL_PARALLEL, Distribution, distribution_of
from sagelet.domain.training import Channel, Cluster
from sagelet.errors import InvalidRequest, NotSupported, TooManyHosts

MOST_HOSTS = 64
"""How many hosts a job may have: each is at least two processes of this machine."""

_INSTEAD = "use torch_distributed, which starts the same script with torch's own launcher"
_REFUSED: Mapping[Distribution, str] = {
    Distribution.SMDDP: "the library smdistributed.dataparallel needs NVSwitch or EFA hardware and "
    f"AWS's own images; {_INSTEAD}",
    Distribution.XLA: f"torch_xla needs Trainium or TPU hardware; {_INSTEAD}",
}


def read_cluster(document: Document) -> Cluster:
    """Read ResourceConfig.

    Raises:
        InvalidRequest: it says too little, or two things at once.
        TooManyHosts: this machine does not run as many.
    """
    resources = document.get("ResourceConfig") or {}
    groups = resources.get("InstanceGroups") or []
    count, instance_type = resources.get("InstanceCount"), resources.get("InstanceType")
    if groups:
        if count is not None or instance_type:
            raise InvalidRequest(
                message="InstanceType or InstanceCount cannot be specified with InstanceGroups"
            )
        return _cluster_of_groups(groups)
    if not count or not instance_type:
        raise InvalidRequest(
            message="A training job needs ResourceConfig.InstanceType and InstanceCount, "
            "or InstanceGroups."
        )
    _check_count(count)
    return Cluster.of(count, instance_type)


def _cluster_of_groups(groups: Iterable[Mapping[str, Any]]) -> Cluster:
    asked = [
        (group["InstanceGroupName"], group["InstanceType"], group["InstanceCount"])
        for group in groups
    ]
    names = [name for name, _, _ in asked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(message=f"Two instance groups are named {twice!r}.")
    empty = next((name for name, _, count in asked if count < 1), None)
    if empty is not None:
        raise InvalidRequest(message=f"Instance group {empty!r} needs an InstanceCount above 0.")
    _check_count(sum(count for _, _, count in asked))
    return Cluster.of_groups(asked)


def _check_count(count: int) -> None:
    if count > MOST_HOSTS:
        raise TooManyHosts(asked=count, most=MOST_HOSTS)


def check_groups(channels: Sequence[Channel]) -> None:
    """Check that all channels name instance groups, or none does.

    Raises:
        InvalidRequest: in AWS's words.
    """
    named = [channel.name for channel in channels if channel.groups]
    others = [channel.name for channel in channels if not channel.groups]
    if named and others:
        raise InvalidRequest(
            message=f"Some channels have assigned instance groups: [{', '.join(named)}] "
            f"while others not: [{', '.join(others)}]"
        )


def check_distribution(document: Document) -> None:
    """Refuse a distribution that needs what no machine like this one has.

    Raises:
        NotSupported: with what to use instead.
    """
    parameters = document.get("HyperParameters") or {}
    distribution = distribution_of(parameters)
    why = _REFUSED.get(distribution)
    name: str = distribution
    if distribution is Distribution.MPI and parameters.get(MODEL_PARALLEL, "{}") != "{}":
        name = "smdistributed.modelparallel"
        why = f"its library is in AWS's own images only; {_INSTEAD}, with FSDP for large models"
    if why is not None:
        raise NotSupported(
            message=f"CreateTrainingJob: the distribution {name} is not served by sagelet "
            f"{__version__}: {why}."
        )
