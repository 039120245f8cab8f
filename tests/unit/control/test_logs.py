from __future__ import annotations

from typing import Any

import pytest

from sagelet.errors import (
    AlreadyExists,
    InvalidRequest,
    LogGroupNotFound,
    LogStreamNotFound,
    NotSupported,
)
from tests.builders import a_job
from tests.control_bench import Bench

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = a_job().log_stream(a_job().cluster.hosts[0])
GROUP_ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"


async def _ask(bench: Bench, operation: str, **document: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
    return await bench.ask_service("logs", operation, **document)


def _events(*times: int) -> list[dict[str, Any]]:
    return [{"timestamp": ms, "message": f"at {ms}"} for ms in times]


async def test_a_users_own_log_is_made_written_and_read(bench: Bench) -> None:
    await _ask(bench, "CreateLogGroup", logGroupName="mine", tags={"a": "b"})
    await _ask(bench, "CreateLogStream", logGroupName="mine", logStreamName="s")

    put = await _ask(
        bench,
        "PutLogEvents",
        logGroupName="mine",
        logStreamName="s",
        logEvents=_events(5, 6),
        sequenceToken="old",
    )

    assert put["nextSequenceToken"]
    shown = await _ask(bench, "GetLogEvents", logGroupName="mine", logStreamName="s")
    assert shown["events"] == [
        {"timestamp": ms, "message": f"at {ms}", "ingestionTime": ms} for ms in (5, 6)
    ]


async def test_protection_can_be_declined_and_not_had(bench: Bench) -> None:
    await _ask(bench, "CreateLogGroup", logGroupName="g", deletionProtectionEnabled=False)

    with pytest.raises(NotSupported, match="a group can always be deleted"):
        await _ask(bench, "CreateLogGroup", logGroupName="h", deletionProtectionEnabled=True)


async def test_what_exists_is_not_made_again(bench: Bench) -> None:
    await _ask(bench, "CreateLogGroup", logGroupName="g")
    await _ask(bench, "CreateLogStream", logGroupName="g", logStreamName="s")

    with pytest.raises(AlreadyExists) as group:
        await _ask(bench, "CreateLogGroup", logGroupName="g")
    with pytest.raises(AlreadyExists) as stream:
        await _ask(bench, "CreateLogStream", logGroupName="g", logStreamName="s")

    assert (group.value.kind, stream.value.kind) == ("log group", "log stream")


async def test_what_is_missing_is_named(bench: Bench) -> None:
    event: dict[str, Any] = {"logEvents": _events(1)}
    named = {"logGroupName": "g", "logStreamName": "s"}
    with pytest.raises(LogGroupNotFound):
        await _ask(bench, "CreateLogStream", **named)
    with pytest.raises(LogGroupNotFound):
        await _ask(bench, "PutLogEvents", **named, **event)
    with pytest.raises(LogGroupNotFound):
        await _ask(bench, "DescribeLogStreams", logGroupName="g")
    await _ask(bench, "CreateLogGroup", logGroupName="g")
    with pytest.raises(LogStreamNotFound):
        await _ask(bench, "PutLogEvents", **named, **event)
    with pytest.raises(LogStreamNotFound):
        await _ask(bench, "GetLogEvents", **named)
    with pytest.raises(LogStreamNotFound):
        await _ask(bench, "DeleteLogStream", **named)


async def test_events_must_come_in_order(bench: Bench) -> None:
    bench.logs.create_stream("g", "s")

    with pytest.raises(InvalidRequest, match="chronological order"):
        await _ask(
            bench, "PutLogEvents", logGroupName="g", logStreamName="s", logEvents=_events(2, 1)
        )


async def test_events_of_the_future_are_rejected_as_aws_does(bench: Bench) -> None:
    bench.logs.create_stream("g", "s")
    now_ms = int(bench.clock.now().timestamp() * 1000)

    put = await _ask(
        bench,
        "PutLogEvents",
        logGroupName="g",
        logStreamName="s",
        logEvents=_events(now_ms, now_ms + 7_200_000, now_ms + 7_200_001, 10**17),
    )

    assert put["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2}
    assert len(bench.logs.read("g", "s").events) == 2


async def test_sdk_v2_finds_exactly_the_streams_of_its_job(bench: Bench) -> None:
    bench.logs.append(GROUP, STREAM, [(1, "a"), (2, "b")])
    bench.logs.append(GROUP, "train-10/algo-1-1767323045", [(1, "another job's")])

    shown = await _ask(
        bench,
        "DescribeLogStreams",
        logGroupName=GROUP,
        logStreamNamePrefix="train-1/",
        orderBy="LogStreamName",
        limit=1,
    )

    (stream,) = shown["logStreams"]
    assert stream["logStreamName"] == STREAM
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (1, 2)
    assert stream["arn"] == f"{GROUP_ARN}:log-stream:{STREAM}"
    assert "nextToken" not in shown


async def test_a_stream_without_events_shows_no_times(bench: Bench) -> None:
    bench.logs.create_stream(GROUP, STREAM)

    (stream,) = (await _ask(bench, "DescribeLogStreams", logGroupName=GROUP))["logStreams"]

    assert stream.keys() == {"logStreamName", "creationTime", "arn", "storedBytes"}


async def test_groups_are_described_by_prefix_pattern_or_name(bench: Bench) -> None:
    for group in ("/a/One", "/a/Two", "/b/One"):
        bench.logs.create_group(group)

    async def names(**asked: Any) -> list[str]:  # noqa: ANN401  AWS's members
        shown = await _ask(bench, "DescribeLogGroups", **asked)
        return [group["logGroupName"] for group in shown["logGroups"]]

    assert await names() == ["/a/One", "/a/Two", "/b/One"]
    assert await names(logGroupNamePrefix="/a") == ["/a/One", "/a/Two"]
    assert await names(logGroupNamePattern="One") == ["/a/One", "/b/One"]
    assert await names(logGroupIdentifiers=["/b/One", "/none"]) == ["/b/One"]
    with pytest.raises(InvalidRequest):
        await names(logGroupNamePrefix="/a", logGroupNamePattern="One")
    (group,) = (await _ask(bench, "DescribeLogGroups", logGroupNamePrefix="/b"))["logGroups"]
    assert group["arn"] == "arn:aws:logs:us-east-1:000000000000:log-group:/b/One:*"
    first = await _ask(bench, "DescribeLogGroups", limit=2)
    assert await names(nextToken=first["nextToken"]) == ["/b/One"]


async def test_a_group_may_be_named_by_its_arn(bench: Bench) -> None:
    bench.logs.append(GROUP, STREAM, [(1, "a")])

    for identifier in (GROUP, GROUP_ARN):
        shown = await _ask(
            bench, "GetLogEvents", logGroupIdentifier=identifier, logStreamName=STREAM
        )
        assert [event["message"] for event in shown["events"]] == ["a"]
    with pytest.raises(InvalidRequest, match="either logGroupName or logGroupIdentifier"):
        await _ask(bench, "GetLogEvents", logStreamName=STREAM)


async def test_the_end_of_a_stream_gives_the_same_token_back(bench: Bench) -> None:
    bench.logs.append(GROUP, STREAM, [(1, "a"), (2, "b")])
    named = {"logGroupName": GROUP, "logStreamName": STREAM, "startFromHead": True}
    first = await _ask(bench, "GetLogEvents", **named, limit=1)
    second = await _ask(bench, "GetLogEvents", **named, nextToken=first["nextForwardToken"])
    end = await _ask(bench, "GetLogEvents", **named, nextToken=second["nextForwardToken"])

    assert [event["message"] for event in (*first["events"], *second["events"])] == ["a", "b"]
    assert end["events"] == []
    assert end["nextForwardToken"] == second["nextForwardToken"]


async def test_events_are_filtered_across_streams(bench: Bench) -> None:
    bench.logs.append("g", "a", [(1, "ERROR one"), (3, "fine")])
    bench.logs.append("g", "b", [(2, "ERROR two")])

    shown = await _ask(
        bench,
        "FilterLogEvents",
        logGroupName="g",
        filterPattern="ERROR",
        interleaved=True,
        limit=1,
    )
    rest = await _ask(
        bench,
        "FilterLogEvents",
        logGroupName="g",
        filterPattern="ERROR",
        nextToken=shown["nextToken"],
    )

    (event,) = shown["events"]
    assert (event["logStreamName"], event["message"]) == ("a", "ERROR one")
    assert event["eventId"]
    assert shown["searchedLogStreams"] == []
    assert [event["message"] for event in rest["events"]] == ["ERROR two"]
    assert "nextToken" not in rest


async def test_a_filter_that_makes_no_sense_is_refused(bench: Bench) -> None:
    bench.logs.create_group("g")

    with pytest.raises(InvalidRequest, match="not both"):
        await _ask(
            bench,
            "FilterLogEvents",
            logGroupName="g",
            logStreamNames=["a"],
            logStreamNamePrefix="a",
        )
    with pytest.raises(InvalidRequest, match="LastEventTime"):
        await _ask(
            bench,
            "DescribeLogStreams",
            logGroupName="g",
            orderBy="LastEventTime",
            logStreamNamePrefix="a",
        )
    with pytest.raises(NotSupported, match="startFromHead False is not served"):
        await _ask(bench, "FilterLogEvents", logGroupName="g", startFromHead=False)
    assert (await _ask(bench, "FilterLogEvents", logGroupName="g", startFromHead=True))[
        "events"
    ] == []


async def test_what_was_deleted_is_gone(bench: Bench) -> None:
    bench.logs.append("g", "a", [(1, "x")])

    await _ask(bench, "DeleteLogStream", logGroupName="g", logStreamName="a")
    await _ask(bench, "DeleteLogGroup", logGroupName="g")

    assert (await _ask(bench, "DescribeLogGroups"))["logGroups"] == []
    with pytest.raises(LogGroupNotFound):
        await _ask(bench, "DeleteLogGroup", logGroupName="g")
