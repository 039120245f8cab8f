from __future__ import annotations

import pytest

from sagelet.web.access.limits import RateLimiter


class HeldSeconds:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_a_minute_holds_may_be_asked_at_once_and_then_as_fast_as_it_fills() -> None:
    clock = HeldSeconds()
    limiter = RateLimiter(clock)
    assert [limiter.take("a", 60) for _ in range(60)] == [None] * 60
    assert limiter.take("a", 60) == pytest.approx(1.0)
    clock.now += 0.6
    assert limiter.take("a", 60) == pytest.approx(0.4)
    clock.now += 0.4
    assert limiter.take("a", 60) is None
    assert limiter.take("a", 60) == pytest.approx(1.0)


def test_a_bucket_holds_no_more_than_a_minutes_worth() -> None:
    clock = HeldSeconds()
    limiter = RateLimiter(clock)
    limiter.take("a", 2)
    clock.now += 3600
    assert [limiter.take("a", 2) is None for _ in range(3)] == [True, True, False]


def test_each_has_a_bucket_of_their_own() -> None:
    limiter = RateLimiter(HeldSeconds())
    assert limiter.take("a", 1) is None
    assert limiter.take("b", 1) is None
    assert limiter.take("a", 1) == pytest.approx(60)


def test_a_lower_limit_holds_from_the_next_request_on() -> None:
    limiter = RateLimiter(HeldSeconds())
    assert limiter.take("a", 1000) is None
    assert limiter.take("a", 1) is None
    assert limiter.take("a", 1) == pytest.approx(60)


def test_nothing_a_minute_is_no_limit() -> None:
    limiter = RateLimiter(HeldSeconds())
    assert {limiter.take("a", 0) for _ in range(1000)} == {None}


def test_many_strangers_do_not_grow_it_without_end_and_whoever_just_asked_is_known() -> None:
    clock = HeldSeconds()
    limiter = RateLimiter(clock)
    for number in range(30_000):
        limiter.take(str(number), 1)
    assert len(limiter) == 10_000
    assert limiter.take("29999", 1) is not None
    assert limiter.take("0", 1) is None
