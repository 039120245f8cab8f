"""InputDataConfig of CreateTrainingJob, as channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagelet.control.context import Document
from sagelet.domain.training import Channel, Cluster
from sagelet.errors import InvalidRequest

_FILE = "File"


def read_channels(document: Document, cluster: Cluster) -> tuple[Channel, ...]:
    """Read the channels of a job that runs on a cluster.

    Raises:
        InvalidRequest: a name is no folder's or is there twice, there is no S3DataSource, or an
            instance group is none of the cluster's.
    """
    algorithm = document.get("AlgorithmSpecification") or {}
    default_mode = algorithm.get("TrainingInputMode") or _FILE
    channels = tuple(
        _channel(channel, default_mode) for channel in document.get("InputDataConfig") or ()
    )
    names = [channel.name for channel in channels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(message=f"Two input channels are named {twice!r}.")
    for channel in channels:
        _check_groups(channel, cluster)
    return channels


def _channel(channel: Mapping[str, Any], default_mode: str) -> Channel:
    name = channel["ChannelName"]
    if name in (".", ".."):
        raise InvalidRequest(message=f"{name!r} cannot be the name of an input channel.")
    source = channel["DataSource"].get("S3DataSource")
    if not source:
        raise InvalidRequest(message=f"Input channel {name} needs an S3DataSource.")
    shuffle = channel.get("ShuffleConfig") or {}
    return Channel(
        name=name,
        uri=source["S3Uri"],
        content_type=channel.get("ContentType"),
        input_mode=channel.get("InputMode") or default_mode,
        distribution=source.get("S3DataDistributionType") or "FullyReplicated",
        record_wrapper=channel.get("RecordWrapperType") or "None",
        data_type=source["S3DataType"],
        compression=channel.get("CompressionType") or "None",
        shuffle_seed=shuffle.get("Seed"),
        attributes=tuple(source.get("AttributeNames") or ()),
        groups=tuple(source.get("InstanceGroupNames") or ()),
    )


def _check_groups(channel: Channel, cluster: Cluster) -> None:
    there = {host.group for host in cluster.hosts}
    missing = [group for group in channel.groups if group not in there]
    if missing:
        raise InvalidRequest(
            message=f"Input channel {channel.name}: the job has no instance group "
            f"{missing[0]!r}; it has {', '.join(sorted(there))}."
        )
