"""What workers print: cut into lines, and bounded."""

from __future__ import annotations

import asyncio

from sagelet.hosting.allowance import Allowance
from sagelet.hosting.output import OutputPipe

MIB = 2**20


def test_an_allowance_is_spent_and_fills_up_again() -> None:
    allowance = Allowance(burst_bytes=1000, bytes_a_second=100)
    assert allowance.take(b"x" * 900, now=50.0)
    assert not allowance.take(b"x" * 200, now=50.0)
    assert allowance.take(b"x" * 100, now=50.0)
    assert not allowance.take(b"x" * 100, now=50.5)
    assert allowance.take(b"x" * 100, now=51.0)
    assert not allowance.take(b"x" * 1001, now=1000.0)


def test_empty_lines_are_not_for_free() -> None:
    assert not Allowance(burst_bytes=1000).take(b"\n" * 500, now=0.0)


async def test_lines_may_come_in_pieces_and_the_last_may_have_no_end() -> None:
    lines: list[str] = []
    pipe = OutputPipe(lines.append)
    pipe.data_received(b"one\ntw")
    pipe.data_received(b"o\r\nthree")
    assert lines == ["one", "two"]
    pipe.connection_lost(None)
    assert lines == ["one", "two", "three"]
    assert pipe.tail == "one\ntwo\nthree"


async def test_of_a_flood_the_beginning_and_the_end_are_kept() -> None:
    lines: list[str] = []
    pipe = OutputPipe(lines.append)
    flood = b"".join(b"%063d\n" % number for number in range(64 * MIB // 64))
    for start in range(0, len(flood), 65536):
        pipe.data_received(flood[start : start + 65536])
    pipe.data_received(b"Fatal Python error: Aborted\n")
    pipe.connection_lost(None)
    assert int(lines[0]) == 0
    assert sum(map(len, lines)) < 5 * MIB
    (told,) = [line for line in lines if "came faster" in line]
    assert told.endswith("came faster than a log takes; all but the end of it, which follows, was "
                         "dropped]")  # fmt: skip
    assert lines[-2:] == [f"{64 * MIB // 64 - 1:063d}", "Fatal Python error: Aborted"]


async def test_after_a_flood_output_is_taken_as_ever() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    pipe = OutputPipe(lines.put_nowait)
    for _ in range(100):
        pipe.data_received(b"x" * 65535 + b"\n")
    pipe.data_received(b"the last\n")
    async with asyncio.timeout(5):
        while await lines.get() != "the last":
            pass
    pipe.data_received(b"as ever\n")
    assert await lines.get() == "as ever"
