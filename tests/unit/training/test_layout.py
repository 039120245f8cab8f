"""The tree at /opt/ml and its configuration's three files."""

from __future__ import annotations

import json
from pathlib import Path

from sagelet.domain.training import Cluster, Host
from sagelet.training.layout import (
    HostFolder,
    hosts_file,
    input_data_config,
    lay_out,
    resource_config,
)
from tests.training_builders import a_channel, an_order


def laid_out(tmp_path: Path) -> HostFolder:
    order = an_order(
        hyperparameters={"epochs": "3", "name": '"resnet"', "none": "null"},
        channels=(a_channel("training"),),
    )
    folder = HostFolder(tmp_path / "hosts" / "algo-1")
    lay_out(order, order.cluster.hosts[0], folder)
    return folder


def test_hyperparameters_are_written_as_they_were_submitted(tmp_path: Path) -> None:
    written = (laid_out(tmp_path).tree.config / "hyperparameters.json").read_text()
    assert json.loads(written) == {"epochs": "3", "name": '"resnet"', "none": "null"}


def test_the_resources_are_written_in_the_clouds_form(tmp_path: Path) -> None:
    written = (laid_out(tmp_path).tree.config / "resourceconfig.json").read_text()
    assert json.loads(written) == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.xlarge",
                "hosts": ["algo-1"],
            }
        ],
        "network_interface_name": "lo",
    }


def test_the_channels_are_written_with_their_modes(tmp_path: Path) -> None:
    written = (laid_out(tmp_path).tree.config / "inputdataconfig.json").read_text()
    assert json.loads(written) == {
        "training": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
    }


def test_a_content_type_is_written_only_where_it_was_given() -> None:
    config = input_data_config((a_channel("a"), a_channel("b", content_type="text/csv")))
    assert "ContentType" not in config["a"]
    assert config["b"]["ContentType"] == "text/csv"


def test_the_folders_that_a_script_expects_are_there(tmp_path: Path) -> None:
    tree = laid_out(tmp_path).tree
    assert tree.model.is_dir()
    assert tree.output_data.is_dir()
    assert (tree.input / "data").is_dir()
    assert tree.checkpoints.is_dir()
    assert not tree.code.exists()
    assert not tree.failure.exists()


def test_laying_out_again_starts_from_nothing(tmp_path: Path) -> None:
    first = laid_out(tmp_path)
    (first.tree.model / "half").write_text("")
    first.exit_file.write_text("{}")
    again = laid_out(tmp_path)
    assert list(again.tree.model.iterdir()) == []
    assert not again.exit_file.exists()


def test_groups_keep_their_own_hosts_and_types() -> None:
    cluster = Cluster(
        (
            Host("algo-1", "ml.m5.xlarge", "workers"),
            Host("algo-2", "ml.c5.xlarge", "servers"),
            Host("algo-10", "ml.m5.xlarge", "workers"),
        )
    )
    config = resource_config(cluster, cluster.hosts[1])
    assert config["hosts"] == ["algo-1", "algo-10", "algo-2"]
    assert config["current_group_name"] == "servers"
    assert config["instance_groups"] == [
        {
            "instance_group_name": "workers",
            "instance_type": "ml.m5.xlarge",
            "hosts": ["algo-1", "algo-10"],
        },
        {"instance_group_name": "servers", "instance_type": "ml.c5.xlarge", "hosts": ["algo-2"]},
    ]


def test_each_host_has_an_address_of_its_own_before_the_machines_names() -> None:
    text = hosts_file(Cluster.of(2, "local"), "127.0.0.1 localhost\n")
    assert text == "127.0.0.1\talgo-1\n127.0.0.2\talgo-2\n127.0.0.1 localhost\n"


def test_the_hosts_file_keeps_localhost(tmp_path: Path) -> None:
    text = laid_out(tmp_path).hosts_file.read_text()
    assert text.startswith("127.0.0.1\talgo-1\n")
    assert "localhost" in text
