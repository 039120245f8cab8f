"""What is printed during one request, picked out of a worker's output."""

from __future__ import annotations

import pytest

from sagelet.hosting.traces import BYTES_AT_MOST, LINES_AT_MOST, Tracer, Traces
from sagelet.worker.serving.tracing import BEGIN, END, MARK, MARK_BYTES


def begin(traces: Traces, trace_id: str) -> bytes:
    return MARK + traces.of(trace_id).token.encode() + BEGIN


def end(traces: Traces, trace_id: str) -> bytes:
    return MARK + traces.of(trace_id).token.encode() + END


async def lines(traces: Traces, trace_id: str = "run") -> tuple[str, ...]:
    return await traces.lines_of(trace_id, 0.01)


async def test_what_lies_between_the_marks_is_the_requests_own() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    data = b"before\n" + begin(traces, "run") + b"one\ntwo" + end(traces, "run") + b"after\n"
    assert tracer.without_marks(data) == b"before\none\ntwoafter\n"
    assert await lines(traces) == ("one", "two")


@pytest.mark.parametrize("size", [1, 2, 7, MARK_BYTES - 1, MARK_BYTES])
async def test_marks_may_come_in_pieces(size: int) -> None:
    traces = Traces()
    tracer = Tracer(traces)
    data = b"a\n" + begin(traces, "run") + b"b\x1ec\n" + end(traces, "run") + b"d\n"
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    kept = b"".join(tracer.without_marks(piece) for piece in pieces) + tracer.last()
    assert kept == b"a\nb\x1ec\nd\n"
    assert await lines(traces) == ("b\x1ec",)


async def test_a_mark_that_a_handler_makes_up_is_output_like_any_other() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    forged = MARK + b"0" * 32 + END
    data = begin(traces, "run") + b"a" + forged + b"b\n" + end(traces, "run")
    assert tracer.without_marks(data) == b"a" + forged + b"b\n"
    assert await lines(traces) == ("a\x1e" + "0" * 32 + "-b",)


async def test_a_mark_that_was_used_means_nothing_any_more() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    first = begin(traces, "run"), end(traces, "run")
    tracer.without_marks(b"".join(first))
    again = begin(traces, "other") + first[1] + b"mine\n" + end(traces, "other")
    assert tracer.without_marks(again) == first[1] + b"mine\n"
    assert (await lines(traces, "other"))[0].endswith("mine")


async def test_workers_do_not_mix() -> None:
    traces = Traces()
    one, other = Tracer(traces), Tracer(traces)
    one.without_marks(begin(traces, "1") + b"of one\n")
    other.without_marks(begin(traces, "2") + b"of the other\n" + end(traces, "2"))
    one.without_marks(b"more of one\n" + end(traces, "1"))
    assert await lines(traces, "1") == ("of one", "more of one")
    assert await lines(traces, "2") == ("of the other",)


async def test_a_worker_that_dies_has_said_what_it_said() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    tracer.without_marks(begin(traces, "run") + b"Fatal error\nSegm" + b"\x1e")
    assert tracer.last() == b"\x1e"
    assert await traces.lines_of("run", 60) == ("Fatal error", "Segm\x1e")


async def test_lines_that_have_not_come_in_time_are_left_out() -> None:
    traces = Traces()
    Tracer(traces).without_marks(begin(traces, "run") + b"so far\n")
    assert await lines(traces) == ("so far",)
    assert await lines(traces) == ()  # told once


async def test_a_trace_that_nobody_began_has_no_lines() -> None:
    assert await lines(Traces(), "unknown") == ()


async def test_too_many_lines_are_cut_and_the_last_one_says_so() -> None:
    traces = Traces()
    data = b"".join(b"%d\n" % number for number in range(LINES_AT_MOST + 3))
    Tracer(traces).without_marks(begin(traces, "run") + data + end(traces, "run"))
    found = await lines(traces)
    assert len(found) == LINES_AT_MOST + 1
    assert found[-1] == "[15 bytes more were printed; they are in the log]"


async def test_too_many_bytes_are_cut_too() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    tracer.without_marks(begin(traces, "run") + b"x" * BYTES_AT_MOST)
    tracer.without_marks(b"y" * 10 + end(traces, "run"))
    found = await lines(traces)
    assert found == ("x" * BYTES_AT_MOST, "[10 bytes more were printed; they are in the log]")


async def test_traces_that_nobody_asks_for_are_forgotten() -> None:
    traces = Traces()
    for number in range(1000):
        Tracer(traces).without_marks(begin(traces, str(number)) + b"text\n")
    assert await lines(traces, "0") == ()
    assert await lines(traces, "999") == ("text",)


async def test_output_passes_by_where_nothing_is_traced() -> None:
    traces = Traces()
    tracer = Tracer(traces)
    needed = [tracer.is_needed]
    mark = begin(traces, "run")
    needed.append(tracer.is_needed)
    tracer.without_marks(mark + end(traces, "run"))
    needed.append(tracer.is_needed)
    assert needed == [False, True, False]
