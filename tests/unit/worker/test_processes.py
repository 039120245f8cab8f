"""What /proc says of this very process."""

from __future__ import annotations

import os

from sagelet.worker.processes import descendants, read_stat


def test_a_process_has_a_parent_a_state_and_a_start() -> None:
    stat = read_stat(os.getpid())
    assert stat is not None
    assert stat.parent == os.getppid()
    assert not stat.is_dead
    assert stat.started_s > 0


def test_a_process_that_is_not_there_is_none() -> None:
    assert read_stat(2**30) is None


def test_this_process_descends_from_its_parent() -> None:
    assert os.getpid() in descendants(os.getppid())
    assert os.getpid() not in descendants(os.getpid())
