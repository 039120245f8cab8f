"""wrk's script, and what wrk prints."""

from __future__ import annotations

import pytest

from benchmarks import wrk

PRINTED = """\
Running 3s test @ http://127.0.0.1:7543/endpoints/bench/invocations
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    12.21ms    3.02ms  47.39ms   89.02%
    Req/Sec     5.30k   551.32     6.16k    80.00%
  Latency Distribution
     50%   11.98ms
     75%   13.01ms
     90%   14.44ms
     99%   23.05ms
  15820 requests in 3.00s, 3.29MB read
{problems}Requests/sec:   5273.11
Transfer/sec:      1.10MB
"""


def test_counts_times_and_percentiles_are_read() -> None:
    load = wrk.parse(PRINTED.format(problems=""))

    assert load == wrk.Load(requests=15820, seconds=3.0, failed=0, p50_ms=11.98, p99_ms=23.05)
    assert load.per_second == pytest.approx(15820 / 3)


def test_answers_other_than_200_and_broken_connections_are_failures_and_no_throughput() -> None:
    problems = (
        "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 20\n"
    )

    load = wrk.parse(PRINTED.format(problems=problems))

    assert load.failed == 30
    assert load.per_second == pytest.approx((15820 - 30) / 3)


@pytest.mark.parametrize(
    ("shown", "ms"), [("353.00us", 0.353), ("11.98ms", 11.98), ("1.20s ", 1200.0)]
)
def test_each_unit_of_time_is_read(shown: str, ms: float) -> None:
    printed = PRINTED.format(problems="").replace("11.98ms", shown)

    assert wrk.parse(printed).p50_ms == pytest.approx(ms)


def test_something_else_than_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="no count of requests"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused")


def test_the_script_posts_the_signed_headers_and_leaves_host_and_length_to_wrk() -> None:
    headers = {"Host": "127.0.0.1", "Content-Length": "9", "Authorization": "AWS4 a=b"}

    lines = wrk.script(headers, b'["a [b]"]').splitlines()

    assert lines == [
        'wrk.method = "POST"',
        'wrk.body = [==[["a [b]"]]==]',
        "wrk.headers[ [==[Authorization]==] ] = [==[AWS4 a=b]==]",
    ]


def test_what_lua_would_read_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        wrk.script({}, b"]==]")
