"""Orders that are carried out away from /opt/ml."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sagelet.worker.placing import place, relocated
from sagelet.worker.spec import HostOrder, Mounts, Rank, ServeOrder

HOST = HostOrder(("train.py",), "/opt/ml/code", {}, "log", "exit")
SERVE = ServeOrder("/opt/ml/model", "/opt/ml/model/code", "inference.py", "/", {})


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("/opt/ml", "/jobs/1/ml"),
        ("/opt/ml/model", "/jobs/1/ml/model"),
        ('{"a":"/opt/ml/x","b":["/opt/ml"]}', '{"a":"/jobs/1/ml/x","b":["/jobs/1/ml"]}'),
        ("--dir=/opt/ml/model", "--dir=/jobs/1/ml/model"),
        ("/a:/opt/ml/code:/b", "/a:/jobs/1/ml/code:/b"),
        ("file:///opt/ml/model", "file:///jobs/1/ml/model"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/opt/ml-data", "/opt/ml-data"),
        ("/opt/ml.bak", "/opt/ml.bak"),
        ("/mnt/opt/ml", "/mnt/opt/ml"),
        ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
    ],
)
def test_the_tree_is_named_where_it_really_is(text: str, moved: str) -> None:
    order = HostOrder(("train.py", text), text, {"V": text}, "log", "exit")
    elsewhere = relocated(order, "/jobs/1/ml")
    assert isinstance(elsewhere, HostOrder)
    assert elsewhere.argv == ("train.py", moved)
    assert elsewhere.environment == {"V": moved}
    assert elsewhere.cwd == moved


def test_the_variables_of_each_process_name_the_tree_too() -> None:
    order = replace(HOST, ranks=(Rank(0, {"OUT": "/opt/ml/model"}), Rank(1, {"OUT": "x"})))
    elsewhere = relocated(order, "/jobs/1/ml")
    assert isinstance(elsewhere, HostOrder)
    assert elsewhere.ranks == (Rank(0, {"OUT": "/jobs/1/ml/model"}), Rank(1, {"OUT": "x"}))


def test_a_worker_is_told_where_its_model_is() -> None:
    elsewhere = relocated(SERVE, r"/back\1slash")
    assert isinstance(elsewhere, ServeOrder)
    assert elsewhere.model_dir == r"/back\1slash/model"
    assert elsewhere.code_dir == r"/back\1slash/model/code"


def test_an_order_without_mounts_stays_as_it_is() -> None:
    assert place(HOST) == (HOST, "")


def test_the_switch_in_the_environment_turns_the_namespace_off() -> None:
    order = HostOrder(
        ("train.py",), "/opt/ml/code", {"SAGELET_NAMESPACE": "off"}, "l", "e", mounts=Mounts("/j")
    )
    placed, why = place(order)
    assert placed.cwd == "/j/code"
    assert why == "SAGELET_NAMESPACE=off"
