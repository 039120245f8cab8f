"""A host's log stream."""

from __future__ import annotations

from pathlib import Path

from sagelet.journal.streams import LogStreams
from sagelet.training.hostlog import GROUP, HostLog
from sagelet.worker.loglines import encode_record

STREAM = "digits/algo-1-1767323045"


def a_log(tmp_path: Path) -> HostLog:
    logs = LogStreams(tmp_path / "logs")
    logs.create_stream(GROUP, STREAM)
    return HostLog(logs, STREAM)


def test_what_is_said_is_in_the_stream(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.say("one", "two")
    assert [message for _, message in log.records(0)] == ["one", "two"]


def test_records_begin_at_an_offset(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.say("ours")
    offset = log.size_bytes()
    log.path.write_bytes(log.path.read_bytes() + encode_record(7, "the script's"))
    assert list(log.records(offset)) == [(7, "the script's")]


def test_the_last_line_that_says_something_is_found_after_the_offset(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.say("ours")
    offset = log.size_bytes()
    assert log.last_line(offset) == ""
    log.say("a", "  bad configuration ", "", "  ")
    assert log.last_line(offset) == "bad configuration"


def test_the_end_of_a_long_log_is_enough(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    log.say(*("x" * 1000 for _ in range(200)), "last")
    assert log.last_line(0) == "last"


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    log = HostLog(LogStreams(tmp_path / "logs"), STREAM)
    assert log.size_bytes() == 0
    assert list(log.records(0)) == []
