"""Delays and the breaker."""

from __future__ import annotations

from sagelet.supervision.backoff import Backoff, CrashBreaker


class _Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_delays_grow_to_the_last_and_stay_there() -> None:
    backoff = Backoff()
    assert [backoff.next() for _ in range(11)] == [0, 1, 1, 2, 3, 5, 8, 13, 30, 30, 30]


def test_a_reset_begins_again() -> None:
    backoff = Backoff((1, 2))
    backoff.next()
    backoff.reset()
    assert [backoff.next(), backoff.next(), backoff.next()] == [1, 2, 2]


def test_five_crashes_in_a_minute_open_the_breaker() -> None:
    time = _Time()
    breaker = CrashBreaker(monotonic=time)
    opened = []
    for _ in range(5):
        opened.append(breaker.record())
        time.now += 15
    assert opened == [False] * 4 + [True]


def test_five_crashes_in_more_than_a_minute_do_not() -> None:
    time = _Time()
    breaker = CrashBreaker(monotonic=time)
    for _ in range(20):
        breaker.record()
        time.now += 15.1
    assert not breaker.is_open


def test_an_open_breaker_stays_open_until_it_is_reset() -> None:
    time = _Time()
    breaker = CrashBreaker(crashes=2, monotonic=time)
    breaker.record()
    breaker.record()
    time.now += 1000
    assert breaker.is_open
    breaker.reset()
    assert not breaker.record()
