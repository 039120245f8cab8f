"""The steps by which processes end."""

from __future__ import annotations

from sagelet.worker.ladder import Ladder, Step


def test_nothing_is_due_before_it_begins() -> None:
    ladder = Ladder()
    assert not ladder.is_begun
    assert ladder.due(1e9) is None


def test_a_process_is_asked_then_looked_at_then_killed_and_again() -> None:
    ladder = Ladder()
    ladder.begin(10.0, 120.0)

    assert ladder.due(9.9) is None
    assert ladder.due(10.0) is Step.ASK
    assert ladder.due(129.9) is None
    assert ladder.due(130.0) is Step.LOOK
    assert ladder.due(130.1) is None
    assert ladder.due(130.4) is Step.KILL
    assert ladder.due(131.0) is None
    assert ladder.due(135.5) is Step.KILL
