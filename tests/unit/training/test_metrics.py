"""Metric definitions against log records."""

from __future__ import annotations

import time

from sagelet.training.metrics import last_values
from tests.training_builders import a_metric

LOG = [
    (1, "epoch 1 accuracy=0.5; loss=2"),
    (2, "epoch 2 accuracy=0.75; accuracy=0.8; loss=1e-3"),
    (3, "done"),
]


def test_the_last_value_of_each_metric_is_kept_with_its_time() -> None:
    found = last_values([a_metric(), a_metric("loss", r"loss=(\S+)")], LOG)
    assert found.values == (("accuracy", 0.8, 2), ("loss", 0.001, 2))
    assert found.warnings == ()


def test_a_match_that_is_no_number_is_passed_over() -> None:
    log = [(1, "loss=3"), (2, "loss=none")]
    assert last_values([a_metric("loss", r"loss=(\S+)")], log).values == (("loss", 3.0, 1),)


def test_a_metric_that_never_matched_is_told() -> None:
    found = last_values([a_metric("f1", "f1=(.*)")], LOG)
    assert found.values == ()
    assert found.warnings == ("metric f1: no line matched f1=(.*)",)


def test_a_group_that_took_no_part_is_no_number() -> None:
    assert last_values([a_metric("loss", r"done|loss=(\d)")], [(1, "done")]).values == ()


def test_a_bad_expression_is_told_and_the_others_are_kept() -> None:
    found = last_values([a_metric("bad", "(("), a_metric()], LOG)
    assert found.values == (("accuracy", 0.8, 2),)
    assert "metric bad" in found.warnings[0]


def test_an_expression_that_never_ends_is_cut_off() -> None:
    evil = a_metric("evil", r"(a+)+$")
    before = time.monotonic()
    found = last_values([evil, a_metric()], [*LOG, (9, "a" * 100 + "!")], budget_s=0.1)
    assert time.monotonic() - before < 5
    assert found.values == (("accuracy", 0.8, 2),)
    assert "more than 0.1 s" in found.warnings[0]
