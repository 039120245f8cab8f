"""How many processes the hosts of a job run, and what each is told."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.domain.distribution import Distribution, distribution_of, flags_for
from sagelet.domain.training import Cluster, Host, LiteralProgram
from sagelet.errors import InvalidRequest
from sagelet.training.distributions import Launch
from sagelet.training.machine import Machine
from sagelet.training.rendezvous import Rendezvous
from tests.training_builders import an_order

TORCHRUN = "sagemaker_torch_distributed_enabled"
PROCESSES = "sagemaker_mpi_num_of_processes_per_host"
GROUPS = "sagemaker_distribution_instance_groups"
AT = Rendezvous("algo-1", 24001)
# What torchrun of torch 2.13 gave the second of two processes on the second of two hosts, run as
# `torchrun --nnodes 2 --nproc_per_node 2 --master_addr algo-1 --master_port 24001 --node_rank 1`.
TOLD_BY_TORCHRUN = {
    "GROUP_RANK": "1",
    "GROUP_WORLD_SIZE": "2",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "algo-1",
    "MASTER_PORT": "24001",
    "OMP_NUM_THREADS": "1",
    "RANK": "3",
    "ROLE_NAME": "default",
    "ROLE_RANK": "3",
    "ROLE_WORLD_SIZE": "4",
    "TORCHELASTIC_MAX_RESTARTS": "0",
    "TORCHELASTIC_RESTART_COUNT": "0",
    "TORCHELASTIC_RUN_ID": "none",
    "TORCHELASTIC_SIGNALS_TO_HANDLE": "SIGTERM,SIGINT,SIGHUP,SIGQUIT",
    "TORCHELASTIC_USE_AGENT_STORE": "True",
    "TORCH_NCCL_ASYNC_ERROR_HANDLING": "1",
    "WORLD_SIZE": "4",
}
OURS = {"TORCHELASTIC_USE_AGENT_STORE": "False"}  # there is no agent
BY_THE_TOOLKIT = {"NCCL_PROTO": "simple"}


def a_launch(
    parameters: dict[str, str],
    *,
    cluster: Cluster | None = None,
    cpus: int = 8,
    gpus: int = 0,
    **order: Any,  # noqa: ANN401  any field
) -> Launch:
    changed = an_order(
        hyperparameters=parameters, cluster=cluster or Cluster.of(2, "local"), **order
    )
    return Launch.of(changed, Machine(cpus, gpus))


def told(launch: Launch, host: Host) -> list[dict[str, str]]:
    return [dict(rank.environment) for rank in launch.ranks(host, AT)]


@pytest.mark.parametrize(
    ("parameters", "distribution"),
    [
        ({}, Distribution.NONE),
        ({TORCHRUN: "false"}, Distribution.NONE),
        ({TORCHRUN: "true"}, Distribution.TORCH_DISTRIBUTED),
        ({TORCHRUN: "True"}, Distribution.TORCH_DISTRIBUTED),
        ({TORCHRUN: "true", "sagemaker_pytorch_ddp_enabled": "true"}, Distribution.PYTORCHDDP),
        ({TORCHRUN: "true", "sagemaker_mpi_enabled": "true"}, Distribution.MPI),
        ({"sagemaker_distributed_dataparallel_enabled": "true"}, Distribution.SMDDP),
        ({"sagemaker_pytorch_xla_multi_worker_enabled": "true"}, Distribution.XLA),
    ],
)
def test_of_several_distributions_the_toolkits_first_counts(
    parameters: dict[str, str], distribution: Distribution
) -> None:
    assert distribution_of(parameters) is distribution


def test_a_distribution_is_asked_for_as_the_sdk_asks() -> None:
    assert flags_for(Distribution.NONE, processes=1, instance_type="local") == {}
    assert flags_for(Distribution.TORCH_DISTRIBUTED, processes=2, instance_type="ml.c5.large") == {
        TORCHRUN: True,
        "sagemaker_instance_type": "ml.c5.large",
        PROCESSES: 2,
    }


def test_without_a_distribution_each_host_runs_its_script() -> None:
    launch = a_launch({})
    assert [launch.ranks(host, AT) for host in launch.cluster.hosts] == [(), ()]
    assert launch.threads == 4
    assert a_launch({}, cluster=Cluster.of(1, "local")).threads is None


def test_a_process_is_told_what_torchrun_tells_it() -> None:
    launch = a_launch({TORCHRUN: "true", PROCESSES: "2"})
    assert told(launch, launch.cluster.hosts[1])[1] == TOLD_BY_TORCHRUN | OURS | BY_THE_TOOLKIT


def test_on_one_host_torchrun_meets_at_localhost_and_names_its_run() -> None:
    launch = a_launch({TORCHRUN: "true", PROCESSES: "2"}, cluster=Cluster.of(1, "local"))
    first, second = told(launch, launch.cluster.hosts[0])
    assert (first["MASTER_ADDR"], second["RANK"], first["WORLD_SIZE"]) == ("localhost", "1", "2")
    assert first["TORCHELASTIC_RUN_ID"] == "digits"


def test_one_process_on_each_host_keeps_its_threads() -> None:
    launch = a_launch({TORCHRUN: "true"})
    assert "OMP_NUM_THREADS" not in told(launch, launch.cluster.hosts[0])[0]
    assert launch.threads == 4


def test_ranks_follow_the_hosts_as_sagemaker_sorts_them() -> None:
    launch = a_launch({TORCHRUN: "true"}, cluster=Cluster.of(11, "local"))
    ranks = {host.name: launch.ranks(host, AT)[0].number for host in launch.cluster.hosts}
    assert sorted(ranks, key=lambda name: ranks[name])[:4] == [
        "algo-1",
        "algo-10",
        "algo-11",
        "algo-2",
    ]


@pytest.mark.parametrize("flag", ["sagemaker_mpi_enabled", "sagemaker_pytorch_ddp_enabled"])
def test_what_mpi_starts_has_the_variables_of_both(flag: str) -> None:
    launch = a_launch({flag: "true", PROCESSES: "2"})
    variables = told(launch, launch.cluster.hosts[1])[0]
    pairs = {
        "RANK": "OMPI_COMM_WORLD_RANK",
        "LOCAL_RANK": "OMPI_COMM_WORLD_LOCAL_RANK",
        "WORLD_SIZE": "OMPI_COMM_WORLD_SIZE",
        "LOCAL_WORLD_SIZE": "OMPI_COMM_WORLD_LOCAL_SIZE",
    }
    assert {ours: variables[theirs] for ours, theirs in pairs.items()} == {
        ours: variables[ours] for ours in pairs
    }
    assert variables["RANK"] == "2"
    assert "OMP_NUM_THREADS" not in variables
    assert launch.threads == 2
    (said,) = launch.explanation(launch.cluster.hosts[1])
    assert said.startswith("algo-2 runs ranks 2 to 3 of 4. ")
    assert "is emulated" in said


def test_what_the_user_says_of_threads_wins() -> None:
    parameters = {TORCHRUN: "true", PROCESSES: "2"}
    own = a_launch(parameters, environment={"OMP_NUM_THREADS": "3"})
    assert own.threads is None
    assert "OMP_NUM_THREADS" not in told(own, own.cluster.hosts[0])[0]
    said = a_launch(parameters, threads=3)
    assert said.threads == 3
    assert told(said, said.cluster.hosts[0])[0]["OMP_NUM_THREADS"] == "3"


def test_only_the_named_groups_take_part() -> None:
    cluster = Cluster.of_groups([("data", "local", 1), ("train", "local", 2)])
    launch = a_launch({TORCHRUN: "true", GROUPS: '["train"]'}, cluster=cluster)
    assert [len(launch.ranks(host, AT)) for host in cluster.hosts] == [0, 1, 1]
    assert launch.ranks(cluster.hosts[1], AT)[0].environment["WORLD_SIZE"] == "2"
    assert [launch.master(host) for host in cluster.hosts] == ["algo-2"] * 3
    assert launch.command(cluster.hosts[0], ["train.py"]) == ""


def test_groups_that_nobody_names_train_each_on_its_own() -> None:
    cluster = Cluster.of_groups([("a", "local", 1), ("b", "local", 2)])
    launch = a_launch({TORCHRUN: "true"}, cluster=cluster)
    sizes = [launch.ranks(host, AT)[0].environment["WORLD_SIZE"] for host in cluster.hosts]
    assert sizes == ["1", "2", "2"]
    assert [launch.master(host) for host in cluster.hosts] == ["algo-1", "algo-2", "algo-2"]


def test_the_log_names_the_containers_command() -> None:
    launch = a_launch({TORCHRUN: "true", PROCESSES: "2"})
    assert launch.command(launch.cluster.hosts[1], ["train.py", "--epochs", "3"]) == (
        "torchrun --nnodes 2 --nproc_per_node 2 --master_addr algo-1 --master_port 7777 "
        "--node_rank 1 train.py --epochs 3"
    )
    alone = a_launch({TORCHRUN: "true"}, cluster=Cluster.of(1, "local"))
    assert alone.command(alone.cluster.hosts[0], ["train.py"]) == (
        "torchrun --nnodes 1 --nproc_per_node 1 train.py"
    )


def test_torchrun_starts_python_only() -> None:
    with pytest.raises(InvalidRequest, match="Unsupported entry point type for torch_distributed"):
        a_launch({TORCHRUN: "true"}).check("train.sh")
    a_launch({"sagemaker_mpi_enabled": "true"}).check("train.sh")


def test_a_literal_command_starts_its_processes_itself() -> None:
    launch = a_launch({TORCHRUN: "true"}, program=LiteralProgram(("/bin/bash",)))
    assert launch.ranks(launch.cluster.hosts[0], AT) == ()


def test_gpus_are_divided_and_each_runs_a_process() -> None:
    launch = a_launch({TORCHRUN: "true"}, gpus=4)
    first, second = launch.cluster.hosts
    assert launch.visible_gpus(first) == {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert launch.visible_gpus(second) == {"CUDA_VISIBLE_DEVICES": "2,3"}
    assert launch.processes == 2
    assert [rank.environment["LOCAL_RANK"] for rank in launch.ranks(second, AT)] == ["0", "1"]


def test_a_machine_with_too_few_gpus_says_so() -> None:
    launch = a_launch({}, gpus=1)
    host = launch.cluster.hosts[0]
    assert launch.visible_gpus(host) == {"CUDA_VISIBLE_DEVICES": ""}
    assert launch.explanation(host) == [
        "WARNING: this machine has 1 GPU(s) for 2 hosts, so that no host has one"
    ]


def test_the_gpus_that_the_user_names_are_left_alone() -> None:
    launch = a_launch({}, gpus=4, environment={"CUDA_VISIBLE_DEVICES": "3"})
    host = launch.cluster.hosts[0]
    assert (launch.visible_gpus(host), launch.gpus_of(host)) == ({}, ("3",))
