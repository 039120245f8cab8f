"""The runner's order, on disk and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sagelet.training.order import JobOrder, JobPaths, Places, read_order, write_order
from tests.training_builders import ACCOUNT, a_channel, a_job, a_metric, an_order


def test_an_order_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    paths = JobPaths(tmp_path / "job")
    order = an_order(
        channels=(a_channel(), a_channel("test", content_type="text/csv")),
        metrics=(a_metric(),),
        environment={"A": "ü"},
        threads=2,
    )
    write_order(order, paths)
    assert read_order(paths) == order


def test_only_its_owner_may_read_an_order(tmp_path: Path) -> None:
    paths = JobPaths(tmp_path / "job")
    write_order(an_order(), paths)
    assert paths.order.stat().st_mode & 0o077 == 0
    assert [path.name for path in paths.root.iterdir() if path.is_file()] == ["order.json"]


def of(**changes: Any) -> JobOrder:  # noqa: ANN401  any field
    return JobOrder.of(
        a_job(**changes),
        account=ACCOUNT,
        places=Places("b", "l", "p", "k"),
        inherited={},
        grace_s=120,
    )


def _output(compression: str) -> dict[str, Any]:
    return {"RoleArn": "sagelet", "OutputDataConfig": {"CompressionType": compression}}


def test_a_roles_name_becomes_its_arn() -> None:
    assert of(submitted=_output("GZIP")).role == "arn:aws:iam::000000000000:role/sagelet"


def test_archives_are_made_unless_no_compression_was_asked_for() -> None:
    assert of().is_compressed
    assert of(submitted=_output("GZIP")).is_compressed
    assert not of(submitted=_output("NONE")).is_compressed


@pytest.mark.parametrize(("text", "threads"), [("2", 2), ("0", None), ("x", None), ("-1", None)])
def test_the_threads_are_the_environments_number(text: str, threads: int | None) -> None:
    assert of(environment={"SAGELET_THREADS": text}).threads == threads


@pytest.mark.parametrize(("text", "grace_s"), [("2", 2), ("0", 120), ("x", 120), ("", 120)])
def test_the_grace_is_the_environments_number(text: str, grace_s: float) -> None:
    assert of(environment={"SAGELET_STOP_GRACE_S": text}).grace_s == grace_s


def test_every_host_has_a_log_stream_of_its_own() -> None:
    assert of().log_streams == {"algo-1": "digits/algo-1-1767323045"}
