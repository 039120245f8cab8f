"""A log that has a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.journal.rotating import RotatingStream
from sagelet.journal.streams import LogStreams

GROUP = "/aws/sagemaker/Endpoints/e"
STREAM = "AllTraffic/01j"
KEPT = 4096


@pytest.fixture
def logs(tmp_path: Path) -> LogStreams:
    return LogStreams(tmp_path / "logs")


@pytest.fixture
def log(logs: LogStreams) -> RotatingStream:
    return RotatingStream(logs, GROUP, STREAM, kept_bytes=KEPT)


def lines_of(logs: LogStreams, stream: str) -> list[str]:
    return [event.message for event in logs.read(GROUP, stream, from_head=True).events]


def size(logs: LogStreams) -> int:
    return sum(logs.size_bytes(GROUP, stream) for stream in logs.streams(GROUP))


def test_what_fits_is_in_one_stream(logs: LogStreams, log: RotatingStream) -> None:
    log.append([(1, "one")])
    log.append([(2, "two")])
    assert logs.streams(GROUP) == [STREAM]
    assert lines_of(logs, STREAM) == ["one", "two"]


def test_a_full_stream_goes_on_in_the_next_which_says_so(
    logs: LogStreams, log: RotatingStream
) -> None:
    log.append([(1, "x" * 1024)])
    log.append([(2, "two")])
    assert logs.streams(GROUP) == [STREAM, f"{STREAM}.2"]
    assert lines_of(logs, f"{STREAM}.2") == [f"[this log goes on from {STREAM}]", "two"]


def test_the_oldest_streams_are_removed_and_it_is_said(
    logs: LogStreams, log: RotatingStream
) -> None:
    log.kept_bytes = 2**20
    for number in range(40):
        log.append([(number, "y" * 65536)])
        assert size(logs) < 2**20 + 2 * 65536
    streams = logs.streams(GROUP)
    assert len(streams) == 4
    newest = max(int(name.rpartition(".")[2]) for name in streams)
    assert lines_of(logs, f"{STREAM}.{newest}")[0] == (
        f"[this log goes on from {STREAM}.{newest - 1}; what is older than "
        f"{STREAM}.{newest - 3} was removed: 1 MiB are kept]"
    )


def test_two_who_write_to_one_log_go_on_in_the_same_stream(
    logs: LogStreams, log: RotatingStream
) -> None:
    other = RotatingStream(logs, GROUP, STREAM, kept_bytes=KEPT)
    for number in range(40):
        log.append([(number, "z" * 200)])
        other.append([(number, "z" * 200)])
    assert len(logs.streams(GROUP)) == 4


def test_a_stream_of_another_name_that_begins_alike_is_left_alone(
    logs: LogStreams, log: RotatingStream
) -> None:
    logs.append(GROUP, f"{STREAM}.old", [(1, "mine")])
    logs.append(GROUP, f"{STREAM}x", [(1, "mine")])
    for number in range(40):
        log.append([(number, "z" * 1024)])
    assert lines_of(logs, f"{STREAM}.old") == ["mine"]
    assert lines_of(logs, f"{STREAM}x") == ["mine"]
