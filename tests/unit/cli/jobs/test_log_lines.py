"""The log of a job of several hosts, from CloudWatch's events."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.cli.jobs.log_lines import JobLog, Line, host_of, line_of, without_states
from sagelet.errors import RemoteRefused
from sagelet.journal.overwritten import Kind

STREAM = "job/algo-{}-1732240000"


class ScriptedLogs:
    """Streams of events, in pages of two, as CloudWatch Logs gives them."""

    def __init__(self) -> None:
        self.streams: dict[str, list[tuple[int, str]]] = {}
        self.is_there = True

    def write(self, host: int, ms: int, text: str) -> None:
        self.streams.setdefault(STREAM.format(host), []).append((ms, text))

    def __call__(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's own
        assert service == "logs"
        if not self.is_there:
            raise RemoteRefused(operation, "ResourceNotFoundException", "no log group", 400)
        if operation == "DescribeLogStreams":
            number = int(asked.get("nextToken", 0))
            names = [name for name in self.streams if name.startswith(asked["logStreamNamePrefix"])]
            more = {"nextToken": str(number + 1)} if number + 1 < len(names) else {}
            return {"logStreams": [{"logStreamName": name} for name in names[number : number + 1]],
                    **more}  # fmt: skip
        events = [
            {"timestamp": ms, "message": text}
            for ms, text in self.streams[asked["logStreamName"]]
            if ms >= asked.get("startTime", 0)
        ]
        begin = int(asked.get("nextToken", 0))
        page = events[begin : begin + 2]
        return {"events": page, "nextForwardToken": str(begin + len(page))}


def followed(logs: ScriptedLogs, **options: Any) -> JobLog:  # noqa: ANN401  JobLog's own
    return JobLog(logs, "job", now=lambda: 0.55, **options)


def texts(lines: list[Line]) -> list[str]:
    return [f"{line.host} {line.text}" for line in lines]


def test_each_look_gives_what_is_new() -> None:
    logs = ScriptedLogs()
    log = followed(logs)
    for ms in range(5):
        logs.write(1, ms, f"line {ms}")
    assert texts(log.look()) == [f"algo-1 line {ms}" for ms in range(5)]
    assert log.look() == []
    logs.write(1, 9, "more")
    assert texts(log.look()) == ["algo-1 more"]


def test_the_lines_of_hosts_come_in_the_order_of_their_times() -> None:
    logs = ScriptedLogs()
    logs.write(1, 10, "a")
    logs.write(1, 30, "c")
    logs.write(2, 20, "b")
    logs.write(2, 20, "b again")
    assert texts(followed(logs).look()) == [
        "algo-1 a", "algo-2 b", "algo-2 b again", "algo-1 c",
    ]  # fmt: skip


def test_what_is_newest_waits_for_the_other_hosts() -> None:
    logs = ScriptedLogs()
    log = followed(logs)
    logs.write(1, 100, "old")
    logs.write(1, 900, "new")
    logs.write(2, 200, "old, too")
    assert texts(log.look()) == ["algo-1 old", "algo-2 old, too"]
    logs.write(2, 800, "late")
    assert texts(log.look(is_last=True)) == ["algo-2 late", "algo-1 new"]


def test_one_host_waits_for_nobody() -> None:
    logs = ScriptedLogs()
    logs.write(1, 999_999, "from the future")
    assert texts(followed(logs).look()) == ["algo-1 from the future"]


def test_a_log_that_is_not_there_yet_has_no_lines() -> None:
    logs = ScriptedLogs()
    log = followed(logs)
    logs.is_there = False
    assert log.look() == []
    logs.is_there = True
    logs.write(1, 1, "there")
    assert texts(log.look()) == ["algo-1 there"]


def test_older_lines_are_left_out_where_that_is_asked_for() -> None:
    logs = ScriptedLogs()
    logs.write(1, 10, "old")
    logs.write(1, 20, "new")
    assert texts(followed(logs, start_ms=15).look()) == ["algo-1 new"]


def event(message: str) -> dict[str, Any]:
    return {"timestamp": 5, "message": message, "logStreamName": STREAM.format(2)}


@pytest.mark.parametrize(
    ("message", "text", "kind", "place"),
    [
        ("  indented \t", "  indented \t", Kind.WHOLE, ""),
        ("", "", Kind.WHOLE, ""),
        ("\r45%|##", "45%|##", Kind.STATE, "algo-2/"),
        ("[rank 1] \r45%", "[rank 1] 45%", Kind.STATE, "algo-2/[rank 1] "),
        ("\r10%\r20%\r30%", "30%", Kind.WHOLE, ""),
        ("100%|##\r", "100%|##", Kind.END, ""),
    ],
)
def test_a_line_says_whether_it_is_overwritten(
    message: str, text: str, kind: Kind, place: str
) -> None:
    assert line_of(event(message)) == Line("algo-2", 5, text, kind, place)


def test_aws_leaves_a_progress_bar_in_one_event() -> None:
    line = line_of(event("\r100%|##"), is_local=False)
    assert (line.text, line.kind) == ("100%|##", Kind.WHOLE)


def test_of_a_line_that_is_overwritten_only_its_end_stays() -> None:
    lines = [line_of(event(text)) for text in ("a", "\r1%", "\r2%", "2%\r", "b")]
    assert [line.text for line in without_states(lines)] == ["a", "2%", "b"]


def test_a_host_is_known_by_its_stream() -> None:
    assert host_of("my-job/algo-12-1732240000") == "algo-12"
