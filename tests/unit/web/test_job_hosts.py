"""The hosts of a job and their ranks, as what was asked for tells them."""

from collections.abc import Mapping
from typing import Any

import pytest

from sagelet.web.job_hosts import HostRow, first_failure, host_names, ranks_of
from sagelet.worker.spec import HostExit

TORCH = {"sagemaker_torch_distributed_enabled": "true"}


def a_job(parameters: Mapping[str, str]) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceCount": 2}, "HyperParameters": parameters}


def test_hosts_of_instance_groups_are_numbered_through() -> None:
    groups = [{"InstanceCount": 2}, {"InstanceCount": 1}]
    job = {"ResourceConfig": {"InstanceGroups": groups}}
    assert host_names(job) == ["algo-1", "algo-2", "algo-3"]


def test_without_a_distribution_there_are_no_ranks() -> None:
    assert ranks_of(a_job({}), 2) == {"algo-1": "", "algo-2": ""}


def test_ranks_follow_the_names_as_sagemaker_sorts_them() -> None:
    ranks = ranks_of(a_job(TORCH), 10)
    assert (ranks["algo-1"], ranks["algo-10"], ranks["algo-2"]) == ("0", "1", "2")


@pytest.mark.parametrize(("said", "first"), [("4", "0 to 3"), ('"2"', "0 to 1"), ("x<b>", "0")])
def test_a_host_of_several_processes_has_as_many_ranks(said: str, first: str) -> None:
    parameters = TORCH | {"sagemaker_mpi_num_of_processes_per_host": said}
    assert ranks_of(a_job(parameters), 2)["algo-1"] == first


def test_the_host_that_failed_first_is_told_of() -> None:
    late = HostRow("algo-1", "", "failed", exit=HostExit(1, ended_at=9.0))
    early = HostRow("algo-2", "", "failed", exit=HostExit(1, ended_at=9.5, failed_at=3.0))
    assert first_failure([late, early, HostRow("algo-3", "", "ended")]) is early
    assert first_failure([HostRow("algo-1", "", "failed")]) is None
