"""Following a log over the JSON API: each line once, from where a client left off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.domain.clock import SystemClock
from tests.door_rig import Door, a_door
from tests.event_streams import Stream, a_stream_of

GROUP = "/aws/sagemaker/TrainingJobs"
FIRST, SECOND = "train-1/algo-1-1732240000", "train-1/algo-2-1732240000"
PATH = f"/api/v1/logs?follow=1&group={GROUP.replace('/', '%2F')}&prefix=train-1%2F"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


def write(door: Door, *records: tuple[int, str], stream: str = FIRST) -> None:
    door.bench.logs.append(GROUP, stream, records)


async def texts(stream: Stream, count: int) -> list[str]:
    """Return the next lines, at least so many."""
    found: list[str] = []
    while len(found) < count:
        told = await stream.next()
        assert told.name == "lines"
        found += [line["text"] for line in told.data["lines"]]
    return found


async def test_the_last_lines_come_first_and_then_what_is_written(door: Door) -> None:
    write(door, (1000, "a"), (1001, "b"), (1002, "c"))
    stream = await a_stream_of(door, f"{PATH}&limit=2")
    assert "\r\ncontent-type: text/event-stream" in stream.head
    assert await texts(stream, 2) == ["b", "c"]
    write(door, (1003, "d"))
    assert await texts(stream, 1) == ["d"]
    write(door, (1000, "late"), stream=SECOND)  # another host's, of an earlier moment
    assert await texts(stream, 1) == ["late"]


async def test_many_lines_of_one_moment_come_once_each(door: Door) -> None:
    write(door, *((1000 + n // 100, f"line {n}") for n in range(5000)))
    stream = await a_stream_of(door, f"{PATH}&after=1")
    first = await texts(stream, 5000)
    assert first == [f"line {n}" for n in range(5000)]
    write(door, *((1050, f"more {n}") for n in range(3000)))
    assert await texts(stream, 3000) == [f"more {n}" for n in range(3000)]
    assert await stream.nothing_for(0.3)


async def test_a_client_that_comes_back_goes_on_behind_its_last_line(door: Door) -> None:
    write(door, (1000, "a"), (1000, "b"))
    stream = await a_stream_of(door, PATH)
    told = await stream.next()
    assert [line["text"] for line in told.data["lines"]] == ["a", "b"]
    stream.writer.close()
    write(door, (1000, "c"), (1001, "d"))
    again = await a_stream_of(door, PATH, {"Last-Event-ID": told.id_text})
    assert await texts(again, 2) == ["c", "d"]


async def test_a_log_that_begins_later_is_followed_from_its_beginning(door: Door) -> None:
    stream = await a_stream_of(door, PATH)
    write(door, (1000, "a"))
    assert await texts(stream, 1) == ["a"]


async def test_a_search_follows_only_what_it_finds(door: Door) -> None:
    now_ms = int(SystemClock().now().timestamp() * 1000)
    write(door, (now_ms - 60_000, "loss 1"), (now_ms - 60_000, "other"))
    stream = await a_stream_of(door, f"{PATH}&q=loss")
    assert await texts(stream, 1) == ["loss 1"]
    write(door, (now_ms, "other"), (now_ms + 1, "loss 0.5"))
    assert await texts(stream, 1) == ["loss 0.5"]


async def test_colours_are_asked_for(door: Door) -> None:
    write(door, (1000, "\x1b[31mred\x1b[0m plain"))
    told = await (await a_stream_of(door, f"{PATH}&styled=1")).next()
    (line,) = told.data["lines"]
    assert line["spans"] == [["red", "ansi-f1"], [" plain", ""]]
