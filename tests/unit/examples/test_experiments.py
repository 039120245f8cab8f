"""`latest` is a whole experiment or the one before."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from text_classification.experiments import ExperimentNotFound, find, new_experiment


def test_the_newest_experiment_becomes_latest(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with new_experiment(tmp_path) as folder:
            (folder / "model").write_text(content)
    assert (find("latest", tmp_path) / "model").read_text() == "second"
    assert sorted(path.is_symlink() for path in tmp_path.iterdir()) == [False, False, True]


def test_latest_does_not_move_before_the_experiment_is_whole(tmp_path: Path) -> None:
    with new_experiment(tmp_path) as folder:
        (folder / "model").write_text("whole")
    with new_experiment(tmp_path) as folder:
        (folder / "model").write_text("ha")
        assert (find("latest", tmp_path) / "model").read_text() == "whole"


def test_an_interrupted_experiment_leaves_nothing_behind(tmp_path: Path) -> None:
    with new_experiment(tmp_path):
        pass
    before = find("latest", tmp_path)
    with contextlib.suppress(KeyboardInterrupt), new_experiment(tmp_path) as folder:
        (folder / "weights").write_text("half")
        raise KeyboardInterrupt
    assert find("latest", tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {before.name, "latest"}


@pytest.mark.parametrize("name", ["latest", "20260102-030405-beef", "..", ".", "a/b", ""])
def test_an_experiment_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExperimentNotFound, match=r"run `python train.py` first"):
        find(name, tmp_path / "experiments")
