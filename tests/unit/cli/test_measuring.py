from __future__ import annotations

import threading
from collections.abc import Callable

from sagelet.cli.measuring import Figures, Sample, Sender, quantile, repeat


def scripted(samples: list[Sample]) -> Callable[[], Sender]:
    """Make senders that give these samples, one after the other."""
    lock, left = threading.Lock(), list(samples)

    def send() -> Sample:
        with lock:
            return left.pop(0)

    return lambda: send


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.9, 0.99, 1.0)] == [
        1.0,
        51.0,
        91.0,
        100.0,
        100.0,
    ]
    assert quantile([], 0.5) == 0.0


def test_a_request_is_sent_so_often_by_so_many_at_once() -> None:
    threads: set[int] = set()
    met = threading.Barrier(4, timeout=10)

    def make() -> Sender:
        threads.add(threading.get_ident())
        met.wait()  # all four are at work at the same time
        return lambda: Sample(1.0)

    assert repeat(make, 100, 4).requests == 100
    assert len(threads) == 4


def test_figures_are_of_the_answered_requests() -> None:
    samples = [Sample(float(ms), {"queue": 0.5, "predict_fn": ms / 2}) for ms in (2, 4, 6, 8)]
    samples.append(Sample(900.0, problem="500: no"))

    figures = Figures.of(samples, seconds=2.0)

    assert figures.document() == {
        "requests": 5,
        "failures": 1,
        "seconds": 2.0,
        "requests_per_second": 2.0,
        "latency_ms": {"p50": 6.0, "p90": 8.0, "p99": 8.0, "max": 8.0},
        "server_ms": {"queue": 0.5, "predict_fn": 2.5},
    }
    assert figures.lines(2) == [
        "5 requests, 2 at a time, in 2.00 s: 2 a second, 1 failed",
        "latency  p50 6.00  p90 8.00  p99 8.00  max 8.00  ms",
        "server   queue 0.50  predict_fn 2.50  ms (medians)",
        "failed   500: no",
    ]


def test_figures_without_an_answer_have_no_latency() -> None:
    figures = repeat(scripted([Sample(1.0, problem="gone")] * 3), 3, 2)
    assert (figures.failures, dict(figures.latency_ms), figures.per_second) == (3, {}, 0.0)
