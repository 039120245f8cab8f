"""Orders and exits as JSON."""

from __future__ import annotations

import pytest

from sagelet.worker.spec import (
    HostExit,
    HostOrder,
    Mounts,
    Order,
    Overlay,
    Rank,
    ServeOrder,
    exit_from_json,
    order_from_json,
    to_json,
)

ORDERS: list[Order] = [
    ServeOrder("/m", "/c", "inference.py", "/", {"A": "ü\n"}, threads=2, mounts=Mounts("/x")),
    HostOrder(("train.py", "--x", "a b"), "/c", {}, "log", "exit", threads=3),
    HostOrder(("t.sh",), "/c", {}, "log", "exit", mounts=Mounts("/x", "/h", "algo-1")),
    HostOrder(
        ("job.train", "--x"),
        "/c",
        {"A": "1"},
        "log",
        "exit",
        mounts=Mounts("/x", overlays=(Overlay("/l", "t", "/u", "/w"), Overlay("/l", "r"))),
        way="module",
        ranks=(Rank(0, {"RANK": "0"}), Rank(1, {})),
        site_dirs=("/s",),
        names={"algo-1": "127.0.0.1"},
    ),
]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_comes_back_as_it_was(order: Order) -> None:
    assert order_from_json(to_json(order)) == order
    assert "\n" not in to_json(order)


def test_an_order_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="juggle"):
        order_from_json('{"kind": "juggle"}')


def test_an_exit_comes_back_as_it_was() -> None:
    ended = HostExit(-9, 1.5, stopped=True, error="E", where="f:1", traceback="T", notes=("n",))
    assert exit_from_json(to_json(ended)) == ended
    of_a_rank = HostExit(1, 1.5, rank=3, failed_at=1.25)
    assert exit_from_json(to_json(of_a_rank)) == of_a_rank


@pytest.mark.parametrize(
    ("way", "entry", "is_python"),
    [
        ("script", "train.py", True),
        ("script", "train.sh", False),
        ("module", "job.train", True),
        ("shell", "python train.py", False),
        ("literal", "train.py", False),
    ],
)
def test_a_py_and_a_module_run_in_this_interpreter(way: str, entry: str, is_python: bool) -> None:
    assert HostOrder((entry,), "/c", {}, "log", "exit", way=way).is_python is is_python
