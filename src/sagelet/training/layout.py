"""The tree that a host sees at /opt/ml, and the three files of its configuration.

hosts/algo-1/ml/input/config/{hyperparameters,inputdataconfig,resourceconfig}.json
                input/data/<channel>/     not copied where that is safe (see `channels`)
                model/                    becomes model.tar.gz
                output/data/              becomes output.tar.gz
                output/failure            the script's own words on why it failed
                code/                     the source; the script's working directory
                checkpoints/              restored and stored where the job asks for it
hosts/algo-1/hosts                        appears at /etc/hosts
hosts/algo-1/exit.json                    how the script ended
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagelet.domain.training import Channel, Cluster, Host
from sagelet.training.order import JobOrder

NETWORK_INTERFACE = "lo"
OPT_ML = Path("/opt/ml")


@dataclass(frozen=True, slots=True)
class MlTree:
    """The tree's paths, from `base`: the one on disk, or /opt/ml as the script sees it."""

    base: Path

    @property
    def input(self) -> Path:
        """What goes in."""
        return self.base / "input"

    @property
    def config(self) -> Path:
        """The configuration's three files."""
        return self.input / "config"

    def channel(self, name: str) -> Path:
        """A channel's data."""
        return self.input / "data" / name

    @property
    def model(self) -> Path:
        """What becomes model.tar.gz."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """What comes out beside the model."""
        return self.base / "output"

    @property
    def output_data(self) -> Path:
        """What becomes output.tar.gz."""
        return self.output / "data"

    @property
    def failure(self) -> Path:
        """The script's own words on why it failed."""
        return self.output / "failure"

    @property
    def code(self) -> Path:
        """The source."""
        return self.base / "code"

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints go by default."""
        return self.base / "checkpoints"


@dataclass(frozen=True, slots=True)
class HostFolder:
    """One host's folder."""

    root: Path

    @property
    def tree(self) -> MlTree:
        """The tree that appears at /opt/ml."""
        return MlTree(self.root / "ml")

    @property
    def hosts_file(self) -> Path:
        """What appears at /etc/hosts."""
        return self.root / "hosts"

    @property
    def exit_file(self) -> Path:
        """How the script ended, once it has."""
        return self.root / "exit.json"


def lay_out(order: JobOrder, host: Host, folder: HostFolder) -> None:
    """Make a host's tree anew, with its configuration; channels and code come after."""
    shutil.rmtree(folder.root, ignore_errors=True)
    tree = folder.tree
    for path in (tree.config, tree.input / "data", tree.model, tree.output_data, tree.checkpoints):
        path.mkdir(parents=True)
    _write_json(tree.config / "hyperparameters.json", order.hyperparameters)
    _write_json(tree.config / "inputdataconfig.json", input_data_config(order.channels_of(host)))
    _write_json(tree.config / "resourceconfig.json", resource_config(order.cluster, host))
    if order.checkpoints is not None:
        _write_json(tree.config / "checkpointconfig.json", checkpoint_config(order, tree))
    folder.hosts_file.write_text(hosts_file(order.cluster, _machine_hosts()), encoding="utf-8")


def checkpoint_config(order: JobOrder, tree: MlTree) -> dict[str, str]:
    """Return what checkpointconfig.json says: LocalPath is where the script finds it."""
    if order.checkpoints is None:
        return {}
    below = Path(order.checkpoints.local_path).relative_to(OPT_ML)
    base = tree.base if order.no_namespace else OPT_ML
    return {"S3Uri": order.checkpoints.uri, "LocalPath": str(base / below)}


def host_names(cluster: Cluster) -> list[str]:
    """Return the names of the hosts as SageMaker sorts them: algo-10 comes before algo-2."""
    return sorted(host.name for host in cluster.hosts)


def input_data_config(channels: Iterable[Channel]) -> dict[str, dict[str, str]]:
    """Return what inputdataconfig.json says of the channels."""
    return {channel.name: _channel_config(channel) for channel in channels}


def _channel_config(channel: Channel) -> dict[str, str]:
    """One channel's entry; ContentType only where it was given."""
    entry = {
        "TrainingInputMode": channel.input_mode,
        "S3DistributionType": channel.distribution,
        "RecordWrapperType": channel.record_wrapper,
    }
    return entry if channel.content_type is None else {"ContentType": channel.content_type} | entry


def resource_config(cluster: Cluster, host: Host) -> dict[str, Any]:
    """Return what resourceconfig.json says to a host, in the cloud's full form."""
    return {
        "current_host": host.name,
        "current_instance_type": host.instance_type,
        "current_group_name": host.group,
        "hosts": host_names(cluster),
        "instance_groups": _instance_groups(cluster),
        "network_interface_name": NETWORK_INTERFACE,
    }


def _instance_groups(cluster: Cluster) -> list[dict[str, Any]]:
    """The groups in the order of their first host."""
    groups = {host.group: host.instance_type for host in cluster.hosts}
    return [
        {
            "instance_group_name": name,
            "instance_type": instance_type,
            "hosts": sorted(host.name for host in cluster.hosts if host.group == name),
        }
        for name, instance_type in groups.items()
    ]


def address_of(number: int) -> str:
    """Return the loopback address of a host, numbered from 1.

    An address for each lets two hosts listen on the same port; on Linux all of 127/8 is this
    machine, and elsewhere only its first.
    """
    return f"127.0.0.{number if sys.platform == 'linux' else 1}"


def addresses(cluster: Cluster) -> dict[str, str]:
    """Return the address of each host by its name."""
    return {host.name: address_of(n) for n, host in enumerate(cluster.hosts, start=1)}


def hosts_file(cluster: Cluster, machine_hosts: str) -> str:
    """Return an /etc/hosts that knows the cluster's names first, then the machine's own."""
    lines = [f"{address}\t{name}" for name, address in addresses(cluster).items()]
    return "\n".join((*lines, machine_hosts))


def _machine_hosts() -> str:
    """The machine's own host names, or the two lines that nothing works without."""
    try:
        return Path("/etc/hosts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "127.0.0.1\tlocalhost\n::1\tlocalhost\n"


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as compact JSON."""
    path.write_text(json.dumps(document), encoding="utf-8")
