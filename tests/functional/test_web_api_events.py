"""The event stream: what is told, to whom, from where on, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Router

from sagelet.domain.clock import SystemClock
from sagelet.domain.hosting import EndpointStatus
from sagelet.store.changes import News
from sagelet.web.access.guard import Identified
from sagelet.web.api.event_hub import STREAMS_AT_MOST, TOGETHER_S
from sagelet.web.api.events import EventsApi
from tests.builders import ACCOUNT
from tests.door_rig import PATIENCE_S, Door, a_door
from tests.event_streams import Stream, Told, a_stream
from tests.signed_requests import raw, signed
from tests.training_builders import a_job
from tests.web_bench import a_web_bench


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


async def greeted(stream: Stream) -> Told:
    """Return its first event."""
    hello = await stream.next()
    assert hello.name == "hello"
    assert set(hello.data) == {"instance", "version"}
    return hello


def changed(told: Told) -> str:
    assert told.name == "change"
    return cast("str", told.data["topic"])


async def grown(stream: Stream) -> str:
    """Return the next log stream that is named."""
    while (name := (await stream.next()).data["stream"]) in ("", "b/"):
        pass
    return cast("str", name)


async def test_a_change_of_an_endpoint_is_told_as_its_topic_was_asked_for(door: Door) -> None:
    stream = await a_stream(door, "endpoints,endpoint:Sentiment")
    assert "\r\ncontent-type: text/event-stream" in stream.head
    assert "\r\ncache-control: no-store" in stream.head
    hello = await greeted(stream)
    await door.bench.create_endpoint("Sentiment", EndpointStatus.IN_SERVICE)
    told = [await stream.next(), await stream.next()]
    assert sorted(changed(each) for each in told) == ["endpoint:Sentiment", "endpoints"]
    assert hello.id is not None
    assert [hello.id < each.id for each in told if each.id] == [True, True]


async def test_a_topic_that_was_not_asked_for_is_not_told(door: Door) -> None:
    stream = await a_stream(door, "endpoint:other,job:train-1")
    await greeted(stream)
    door.bench.store.changes.publish(ACCOUNT.arn("endpoint", "sentiment"))
    door.bench.store.changes.publish(ACCOUNT.arn("training-job", "train-1"))
    assert changed(await stream.next()) == "job:train-1"


async def test_a_line_in_a_jobs_log_concerns_the_job_and_not_the_list_of_jobs(door: Door) -> None:
    stream = await a_stream(door, "jobs,job:train-1,job:train-2")
    await greeted(stream)
    changes = door.bench.store.changes
    changes.publish(ACCOUNT.arn("training-job", "train-1"), News.LOG)
    assert changed(await stream.next()) == "job:train-1"
    with door.bench.store.writing() as tx:
        tx.training_jobs.add(a_job("train-2"))
    assert {changed(await stream.next()), changed(await stream.next())} == {"jobs", "job:train-2"}


async def test_calls_of_an_endpoint_are_a_topic_of_their_own(door: Door) -> None:
    stream = await a_stream(door, "calls:Sentiment,endpoint:Sentiment,endpoints")
    await greeted(stream)
    door.bench.store.changes.publish("calls/sentiment")
    assert changed(await stream.next()) == "calls:Sentiment"
    assert await stream.nothing_for(0.2)


async def test_a_burst_of_changes_is_told_a_few_times(door: Door) -> None:
    stream = await a_stream(door, "endpoint:e,job:last")
    await greeted(stream)
    for _ in range(500):
        door.bench.store.changes.publish(ACCOUNT.arn("endpoint", "e"))
    await asyncio.sleep(0)
    door.bench.store.changes.publish(ACCOUNT.arn("training-job", "last"))
    told = [changed(await stream.next())]
    while told[-1] != "job:last":
        told.append(changed(await stream.next()))
    assert 1 <= told.count("endpoint:e") <= 3


async def test_a_note_is_told_and_changes_its_endpoint(door: Door) -> None:
    stream = await a_stream(door, "endpoints")
    await greeted(stream)
    await door.host.notes.add("sentiment", "reloaded")
    note, change = await stream.next(), await stream.next()
    assert (note.name, note.data["text"], note.data["endpoint"]) == (
        "note",
        "reloaded",
        "sentiment",
    )
    assert changed(change) == "endpoints"


async def test_a_note_about_all_endpoints_concerns_each(door: Door) -> None:
    stream = await a_stream(door, "endpoint:a,endpoint:b")
    await greeted(stream)
    await door.host.notes.add("", "the interpreter is another one")
    told = [await stream.next() for _ in range(3)]
    assert [each.name for each in told] == ["note", "change", "change"]
    assert {changed(each) for each in told[1:]} == {"endpoint:a", "endpoint:b"}


async def test_a_log_that_grows_is_told_to_those_who_look_at_it(door: Door) -> None:
    group, logs = "/aws/sagemaker/TrainingJobs", door.bench.logs
    logs.create_stream(group, "a/algo-1")
    whole = await a_stream(door, f"log:{group}")
    part = await a_stream(door, f"log:{group}:b/")
    await greeted(whole)
    await greeted(part)
    # Whatever was written before the first look may be news to them.
    assert (await part.next()).data == {"group": group, "stream": "b/"}
    assert (await whole.next()).data["stream"] in ("", "b/")
    logs.append(group, "a/algo-1", [(1, "hello")])
    assert await grown(whole) == "a/algo-1"
    logs.append(group, "b/algo-1", [(1, "hello")])
    assert await grown(whole) == "b/algo-1"
    assert await grown(part) == "b/algo-1"


async def test_a_client_that_comes_back_is_told_what_it_missed(door: Door) -> None:
    first = await a_stream(door, "job:a,job:b")
    await greeted(first)
    door.bench.store.changes.publish(ACCOUNT.arn("training-job", "a"))
    seen = await first.next()
    first.writer.close()
    for name in ("b", "a"):
        door.bench.store.changes.publish(ACCOUNT.arn("training-job", name))
        await asyncio.sleep(TOGETHER_S * 1.5)
    second = await a_stream(door, "job:a,job:b", {"Last-Event-ID": str(seen.id)})
    assert (await greeted(second)).id is None
    assert [changed(await second.next()), changed(await second.next())] == ["job:b", "job:a"]


async def test_a_page_is_told_what_happened_since_it_was_made(door: Door) -> None:
    hello = await greeted(await a_stream(door, "jobs"))
    door.bench.store.changes.publish(ACCOUNT.arn("training-job", "a"))
    stream = await a_stream(door, "jobs", query=f"&since={hello.id}")
    await greeted(stream)
    assert changed(await stream.next()) == "jobs"


@pytest.mark.parametrize("last", ["1", "99999999999999999", "another-server's"])
async def test_a_client_whose_place_is_forgotten_is_told_to_look_anew(
    door: Door, last: str
) -> None:
    stream = await a_stream(door, "jobs", {"Last-Event-ID": last})
    await greeted(stream)
    reset = await stream.next()
    assert (reset.name, reset.data) == ("reset", {})
    again = await a_stream(door, "jobs", {"Last-Event-ID": str(reset.id)})
    await greeted(again)
    assert await again.nothing_for(0.05)


@pytest.mark.parametrize("topics", ["nonsense", "endpoint:", "log:", "x:y", ",".join("j" * 201)])
async def test_topics_that_there_are_not_are_refused(door: Door, topics: str) -> None:
    assert (await a_stream(door, topics)).status == 400


async def test_streams_have_a_bound_and_leave_room_when_they_end(door: Door) -> None:
    open_ones = [await a_stream(door, "jobs") for _ in range(STREAMS_AT_MOST)]
    full = await a_stream(door, "jobs")
    assert full.status == 503
    assert "\r\nretry-after: 5\r\n" in full.head
    open_ones[0].writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while (await a_stream(door, "jobs")).status != 200:
            await asyncio.sleep(0.01)


async def test_who_only_asks_for_the_head_takes_no_stream(door: Door) -> None:
    path = "/api/v1/events?topics=jobs"
    fields = signed(path, method="HEAD", service="sagelet", headers={"Accept": "text/event-stream"})
    for _ in range(STREAMS_AT_MOST + 1):
        answer = await door.exchange(raw(path, fields, method="HEAD"))
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_it_is_for_the_owner(door: Door) -> None:
    fields = [("Host", "localhost"), ("Accept", "text/event-stream")]
    answer = await door.exchange(raw("/api/v1/events?topics=jobs", fields, method="GET"))
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_stream_is_never_silent_and_ends_when_its_browser_signs_out(
    tmp_path: Path,
) -> None:
    async with a_web_bench(tmp_path) as web:
        access = web.app.site.access
        token = access.sessions.begin()
        events = EventsApi(web.app.site, heartbeat_s=0.05)
        app = Identified(Router(events.routes()), access)
        told: list[bytes] = []
        is_over = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await is_over.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            told.append(message.get("body", b""))
            if told.count(told[-1]) == 3:  # the third heartbeat
                access.sessions.end(token)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/events",
            "query_string": b"topics=jobs",
            "headers": [
                (b"accept", b"text/event-stream"),
                (b"cookie", f"{access.cookie}={token}".encode()),
            ],
        }
        async with asyncio.timeout(PATIENCE_S):
            await app(scope, receive, send)
        assert told[1].startswith(b"retry: 1000\n\nid: ")
        number = int(told[1].split(b"id: ")[1].split(b"\n")[0])
        assert told[2] == f": .\nid: {number}\n\n".encode()
        assert told[-1] == b""


async def test_all_streams_end_when_the_daemon_stops(door: Door) -> None:
    streams = [await a_stream(door, "jobs") for _ in range(3)]
    for stream in streams:
        await greeted(stream)
    path = "/api/v1/events?wait=30"
    waiting = asyncio.create_task(
        door.exchange(raw(path, signed(path, method="GET", service="sagelet"), method="GET"))
    )
    while door.by_asgi < 4:
        await asyncio.sleep(0.005)
    begun = time.monotonic()
    door.app.begin_to_stop()
    assert b'{"events":[],"last":0}' in await waiting
    for stream in streams:
        with pytest.raises(EOFError):
            await stream.next()
    assert time.monotonic() - begun < 1
    assert (await a_stream(door, "jobs")).status == 503
