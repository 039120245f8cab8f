"""InvokeEndpointWithResponseStream, as boto3 sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from sagelet.domain.clock import SystemClock
from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import EndpointNotInService, ModelStreamBroken
from sagelet.wire import event_stream
from tests.door_rig import PATIENCE_S, Door, a_door, read_answer
from tests.signed_requests import KEY, REGION, SECRET, raw, signed

PATH = "/endpoints/sentiment/invocations-response-stream"


class Told:
    """Parts that a test hands out one by one."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        for part in parts:
            self.queue.put_nowait(part)
        self.closed = asyncio.Event()

    def end(self) -> Told:
        self.queue.put_nowait(None)
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        part = await self.queue.get()
        if part is None:
            raise StopAsyncIteration
        if isinstance(part, Exception):
            raise part
        return part

    async def aclose(self) -> None:
        self.closed.set()


class Endless(Told):
    """A handler that always has more to say."""

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        return b"more"


def a_stream(parts: Told, **members: Any) -> StreamedAnswer:  # noqa: ANN401  its own fields
    return StreamedAnswer(200, "text/plain", "blue", 3, parts, **members)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path, clock=SystemClock()) as door:
        yield door


class Client:
    """boto3 in a thread, so that the server can go on."""

    def __init__(self, door: Door) -> None:
        make: Any = boto3.client
        self._client = make(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{door.port}",
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}),
        )

    async def invoke(self, **members: str) -> dict[str, Any]:
        return await asyncio.to_thread(
            self._client.invoke_endpoint_with_response_stream,
            **{"EndpointName": "sentiment", "Body": b"hi", **members},
        )

    async def parts(self, answer: dict[str, Any]) -> list[bytes]:
        def read() -> list[bytes]:
            with closing(answer["Body"]) as events:
                return [event["PayloadPart"]["Bytes"] for event in events]

        return await asyncio.to_thread(read)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def client(door: Door) -> Iterator[Client]:
    client = Client(door)
    yield client
    client.close()


async def test_parts_come_one_by_one(door: Door, client: Client) -> None:
    told = Told(b"one ")
    door.host.streamed = a_stream(told, headers={"X-Amzn-SageMaker-Custom-Attributes": "a=1"})

    answer = await client.invoke()
    assert answer["ContentType"] == "text/plain"
    assert answer["InvokedProductionVariant"] == "blue"
    assert answer["CustomAttributes"] == "a=1"
    events = iter(answer["Body"])

    def following() -> bytes:
        part: bytes = next(events)["PayloadPart"]["Bytes"]
        return part

    assert await asyncio.to_thread(following) == b"one "
    told.queue.put_nowait(b"two")  # only now: the first did not wait for it
    assert await asyncio.to_thread(following) == b"two"
    told.end()
    assert await asyncio.to_thread(next, events, None) is None
    await asyncio.wait_for(told.closed.wait(), PATIENCE_S)


async def test_what_is_asked_reaches_the_host(door: Door, client: Client) -> None:
    await client.parts(
        await client.invoke(
            ContentType="text/csv",
            Accept="application/json",
            TargetVariant="blue",
            InferenceId="i",
            SessionId="s",
            CustomAttributes="c",
        )
    )
    assert door.host.invocations == [
        Invocation(
            endpoint="sentiment",
            body=b"hi",
            content_type="text/csv",
            accept="application/json",
            target_variant="blue",
            headers={
                "X-Amzn-SageMaker-Inference-Id": "i",
                "X-Amzn-SageMaker-Session-Id": "s",
                "X-Amzn-SageMaker-Custom-Attributes": "c",
            },
        )
    ]


async def test_a_handler_that_does_not_stream_answers_in_one_part(
    door: Door, client: Client
) -> None:
    door.host.line = Answer(200, b'{"label": "good"}', "application/json", "v", 1)
    assert await client.parts(await client.invoke()) == [b'{"label": "good"}']


async def test_an_empty_answer_is_a_stream_of_nothing(door: Door, client: Client) -> None:
    door.host.line = Answer(200, b"", "application/json", "v", 1)
    assert await client.parts(await client.invoke()) == []


async def test_a_large_part_is_divided(
    door: Door, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "PAYLOAD_AT_MOST", 4)
    door.host.streamed = a_stream(Told(b"0123456789", b"ab").end())
    assert await client.parts(await client.invoke()) == [b"0123", b"4567", b"89", b"ab"]


async def test_an_error_before_the_first_part_is_a_model_error(door: Door, client: Client) -> None:
    door.host.line = Answer(500, b"no\nTraceback", None, "v", 1)
    with pytest.raises(ClientError) as caught:
        await client.invoke()
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 500
    assert response["OriginalMessage"] == "no\nTraceback"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424


async def test_an_endpoint_that_does_not_serve_is_told_of_as_ever(
    door: Door, client: Client
) -> None:
    door.host.line = EndpointNotInService("sentiment", "000000000000")
    with pytest.raises(ClientError, match="Endpoint sentiment of account 000000000000 not found"):
        await client.invoke()


async def test_a_model_that_fails_half_way_ends_the_stream_with_its_error(
    door: Door, client: Client
) -> None:
    broken = ModelStreamBroken(code="StreamBroken", message="ValueError: no more\nTraceback")
    told = Told(b"one", broken)
    door.host.streamed = a_stream(told)
    answer = await client.invoke()
    with pytest.raises(EventStreamError) as caught:
        await client.parts(answer)
    assert caught.value.response["Error"] == {
        "Code": "ModelStreamError",
        "Message": "ValueError: no more\nTraceback",
    }
    await asyncio.wait_for(told.closed.wait(), PATIENCE_S)


async def test_the_error_code_and_the_end_of_a_broken_stream_are_on_the_wire(door: Door) -> None:
    door.host.streamed = a_stream(Told(ModelStreamBroken(code="StreamBroken", message="m" * 5000)))
    answer = await door.exchange(raw(PATH, signed(PATH, b""), b""))
    assert b"content-type: application/vnd.amazon.eventstream\r\n" in answer
    assert b"x-sagelet-generation: 3\r\n" in answer
    assert b'"ErrorCode": "StreamBroken"' in answer
    assert answer.count(b"m" * 2048) == 1
    assert answer.endswith(b"\r\n0\r\n\r\n")


async def test_what_nobody_foresaw_is_an_internal_failure(
    door: Door, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    door.host.streamed = a_stream(Told(b"one", RuntimeError("boom")))
    answer = await client.invoke()
    with pytest.raises(EventStreamError) as caught:
        await client.parts(answer)
    assert caught.value.response["Error"]["Code"] == "InternalStreamFailure"
    assert "a stream failed in a way nobody foresaw" in caplog.text


async def test_a_client_that_leaves_ends_the_handler(door: Door) -> None:
    told = Told(b"one")
    door.host.streamed = a_stream(told)
    reader, writer = await door.connect()
    writer.write(raw(PATH, signed(PATH, b""), b""))
    assert (await reader.readuntil(b"one")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()  # while the handler has nothing to say
    await asyncio.wait_for(told.closed.wait(), PATIENCE_S)


async def test_a_client_that_leaves_ends_a_handler_that_never_waits(door: Door) -> None:
    told = Endless()
    door.host.streamed = a_stream(told)
    reader, writer = await door.connect()
    writer.write(raw(PATH, signed(PATH, b""), b""))
    await reader.readuntil(b"more")
    writer.transport.abort()
    await asyncio.wait_for(told.closed.wait(), PATIENCE_S)


async def test_a_client_that_leaves_at_once_ends_the_handler(door: Door) -> None:
    told = Told()
    door.host.streamed = a_stream(told)
    _, writer = await door.connect()
    writer.write(raw(PATH, signed(PATH, b""), b""))
    while not door.host.invocations:
        await asyncio.sleep(0.005)
    writer.transport.abort()
    await asyncio.wait_for(told.closed.wait(), PATIENCE_S)


async def test_a_client_that_reads_slowly_makes_the_handler_wait(door: Door) -> None:
    told = Told(*[b"x" * 1_000_000 for _ in range(100)]).end()
    door.host.streamed = a_stream(told)
    reader, writer = await door.connect()
    writer.write(raw(PATH, signed(PATH, b""), b""))
    await reader.readuntil(b"\r\n\r\n")
    for _ in range(50):
        await asyncio.sleep(0.002)
    assert told.queue.qsize() > 50
    while await reader.read(2**20):
        if told.closed.is_set():
            break
    assert told.queue.qsize() == 0


async def test_the_connection_goes_on_after_a_stream(door: Door) -> None:
    reader, writer = await door.connect()
    for number in range(3):
        door.host.streamed = a_stream(Told(b"%d" % number).end())
        writer.write(raw(PATH, signed(PATH, b""), b""))
        assert (await read_answer(reader)).count(b"PayloadPart") == 1


async def test_a_member_that_is_not_served_is_named(door: Door, client: Client) -> None:
    with pytest.raises(ClientError, match="InferenceComponentName is not served"):
        await client.invoke(InferenceComponentName="one")
