"""The daemon's own API, asked by our own client and by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from sagelet.domain.clock import SystemClock
from sagelet.domain.facts import EndpointFacts, VariantFacts, WorkerFacts
from sagelet.domain.training import TrainingJobStatus
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.local_api import LocalApi
from sagelet.errors import RemoteRefused, RemoteUnreachable
from tests.door_rig import PATIENCE_S, Door, a_door, an_api
from tests.signed_requests import KEY, REGION, SECRET, raw, signed
from tests.training_builders import a_job

FACTS = EndpointFacts(
    endpoint="sentiment",
    variants=(
        VariantFacts(
            variant="v",
            generation=3,
            contract="sane",
            is_parked=False,
            waiting=0,
            workers=(WorkerFacts(pid=4711, generation=3, is_busy=True),),
            requests=10,
            errors=1,
            latency_ms=MappingProxyType({"p50": 1.5}),
            phases_ms={"queue": 0.1},
            differs={"media-type-case": 2},
        ),
    ),
    port=None,
)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


async def events(door: Door, after: int = 0, **members: Any) -> dict[str, Any]:  # noqa: ANN401  its own
    return await asyncio.to_thread(an_api(door).events, after, **members)


async def by_hand(
    door: Door, path: str, method: str = "GET", service: str = "sagelet", **bent: str
) -> tuple[int, Any]:
    fields = dict(signed(path, method=method, service=service)) | bent
    answer = await door.exchange(raw(path, fields.items(), method=method))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, document = int(head.split()[1]), json.loads(body)
    if status >= 400:
        assert b"content-type: application/problem+json" in head
        assert (document["status"], document["detail"]) == (status, document["message"])
    return status, document


async def said(door: Door, path: str, method: str = "GET", **bent: str) -> tuple[int, str]:
    """Return a status, and what is said is wrong."""
    status, document = await by_hand(door, path, method, **bent)
    return status, document["message"]


async def test_an_endpoint_is_told_of(door: Door) -> None:
    door.host.known["sentiment"] = FACTS
    assert await asyncio.to_thread(an_api(door).endpoint, "sentiment") == {
        "endpoint": "sentiment",
        "port": None,
        "variants": [
            {
                "variant": "v",
                "generation": 3,
                "contract": "sane",
                "is_parked": False,
                "waiting": 0,
                "workers": [
                    {
                        "pid": 4711,
                        "generation": 3,
                        "is_busy": True,
                        "cpu_percent": None,
                        "memory_bytes": None,
                    }
                ],
                "requests": 10,
                "errors": 1,
                "latency_ms": {"p50": 1.5},
                "phases_ms": {"queue": 0.1},
                "differs": {"media-type-case": 2},
                "started_at": None,
                "problem": None,
            }
        ],
    }


async def test_an_endpoint_that_does_not_serve_is_none(door: Door) -> None:
    for name in ("other", "a/b", "../events", "日本"):
        assert await asyncio.to_thread(an_api(door).endpoint, name) is None
    assert await said(door, "/api/v1/endpoints/other") == (
        404,
        "Endpoint other of account 000000000000 not found.",
    )


async def test_what_happened_is_told_from_a_number_on(door: Door) -> None:
    assert await events(door) == {"events": [], "last": 0}
    for endpoint, text in (("a", "came up"), ("b", "came up"), ("a", "reloaded")):
        await door.host.notes.add(endpoint, text)
    told = await events(door, 1)
    assert [(each["endpoint"], each["text"]) for each in told["events"]] == [
        ("b", "came up"),
        ("a", "reloaded"),
    ]
    assert told["last"] == 3
    assert told["events"][0] == {
        "number": 2,
        "at": "2026-01-02T03:04:05+00:00",
        "endpoint": "b",
        "variant": "v",
        "text": "came up",
        "is_problem": False,
    }
    assert await events(door, 3) == {"events": [], "last": 3}


async def test_one_endpoints_events_are_told_alone(door: Door) -> None:
    for endpoint in ("a", "b", "a", "b"):
        await door.host.notes.add(endpoint, "reloaded")
    told = await events(door, endpoint="a")
    assert [each["number"] for each in told["events"]] == [1, 3]
    assert told["last"] == 4


async def test_a_request_is_held_until_something_happens(door: Door) -> None:
    await door.host.notes.add("a", "came up")
    waiting = asyncio.create_task(events(door, 1, endpoint="a", wait_s=20))
    await asyncio.sleep(0.05)
    await door.host.notes.add("b", "came up")  # which is none of its business
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await door.host.notes.add("a", "reloaded")
    told = await asyncio.wait_for(waiting, PATIENCE_S)
    assert [each["text"] for each in told["events"]] == ["reloaded"]
    assert told["last"] == 3


async def test_a_request_is_not_held_for_longer_than_it_asks(door: Door) -> None:
    assert await events(door, wait_s=0.05) == {"events": [], "last": 0}


async def test_a_number_of_another_daemon_begins_anew(door: Door) -> None:
    await door.host.notes.add("a", "came up")
    told = await events(door, 500, wait_s=20)
    assert [each["number"] for each in told["events"]] == [1]


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=", "after=1.5", "wait=x", "wait=nan", "wait=inf"]
)
async def test_a_query_that_makes_no_sense_is_refused(door: Door, query: str) -> None:
    status, document = await by_hand(door, f"/api/v1/events?{query}")
    assert status == 400
    assert query.partition("=")[0] in document["message"]


async def test_what_is_not_there_and_what_is_not_read(door: Door) -> None:
    assert await said(door, "/api/v1/nothing") == (404, "there is no /api/v1/nothing")
    assert await said(door, "/api/v1/events", "POST") == (
        405,
        "/api/v1/events is asked for with GET",
    )


async def test_it_is_signed_for_or_refused(door: Door) -> None:
    with pytest.raises(RemoteRefused, match="signature we calculated") as caught:
        await asyncio.to_thread(an_api(door, "guessed").events, 0)
    assert caught.value.status == 400
    status, document = await by_hand(door, "/api/v1/events", service="sagemaker")
    assert (status, "Credential should be scoped" in document["message"]) == (400, True)
    unsigned = raw("/api/v1/events", [("Host", "localhost")], method="GET")
    answer = await door.exchange(unsigned)
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"\r\nwww-authenticate: Bearer\r\n" in answer


async def test_a_foreign_page_does_not_get_in(door: Door) -> None:
    status, _ = await by_hand(door, "/api/v1/events", Origin="https://evil.com")
    assert status == 403


async def test_a_bucket_may_be_called_api(door: Door) -> None:
    fields = signed("/api/v1/events", method="GET", service="s3")
    answer = await door.exchange(raw("/api/v1/events", fields, method="GET"))
    assert b"<Error>" in answer


async def test_a_client_that_leaves_is_not_waited_for(door: Door) -> None:
    _, writer = await door.connect()
    path = "/api/v1/events?wait=20"
    writer.write(raw(path, signed(path, method="GET", service="sagelet"), method="GET"))
    while not door.by_asgi:
        await asyncio.sleep(0.005)
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        while door.server.server_state.tasks:
            await asyncio.sleep(0.005)


async def test_nobody_at_the_address_is_told(door: Door) -> None:
    api = LocalApi("http://127.0.0.1:1", LocalCredentials(KEY, SECRET), REGION)
    with pytest.raises(RemoteUnreachable, match=r"nothing answers at http://127\.0\.0\.1:1"):
        await asyncio.to_thread(api.events, 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n<>",
        b"HTTP/1.1 599 \r\ncontent-length: 2\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_whoever_else_is_at_the_address_is_no_daemon(answer: bytes) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        api = LocalApi(address, LocalCredentials(KEY, SECRET), REGION)
        with pytest.raises((RemoteUnreachable, RemoteRefused)):
            await asyncio.to_thread(api.keys)


async def test_a_job_is_killed_by_asking_for_it(door: Door) -> None:
    job = a_job("endless")
    with door.bench.store.writing() as tx:
        tx.training_jobs.add(job)
    await asyncio.to_thread(an_api(door).kill_job, "endless")
    assert [killed.name for killed in door.bench.runner.killed] == ["endless"]
    assert door.bench.runner.killed[0].status is TrainingJobStatus.STOPPING
    await asyncio.to_thread(an_api(door).kill_job, "endless")  # a second time, as Ctrl-C may
    assert len(door.bench.runner.stopped) == 1


async def test_a_job_that_is_not_there_cannot_be_killed(door: Door) -> None:
    with pytest.raises(RemoteRefused, match="Could not find training job"):
        await asyncio.to_thread(an_api(door).kill_job, "unknown")


async def test_a_job_is_not_killed_by_looking_at_it(door: Door) -> None:
    assert await said(door, "/api/v1/jobs/endless/kill") == (
        405,
        "/api/v1/jobs/endless/kill is asked for with POST",
    )
