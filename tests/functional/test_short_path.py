"""Invocations on the short path meet HTTP's hard corners: order, haste, patience and departure."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from sagelet.domain.invocation import Answer, Invocation
from sagelet.errors import EndpointNotInService, QueueFull
from sagelet.server import bodies
from sagelet.server.protocol import HEAD_S
from sagelet.server.shortcut import InvocationProtocol
from tests.door_rig import PATIENCE_S, Door, HeldHost, a_door, read_answer
from tests.fakes import HeldClock, ScriptedHost
from tests.signed_requests import raw, signed

PATH = "/endpoints/sentiment/invocations"
BODY = b'{"text": "a fine film"}'
NOW = HeldClock().now()
DONE = Answer(200, b"done", "text/plain", "v", 1)


def a_request(body: bytes = BODY, path: str = PATH, **further: str) -> bytes:
    fields = signed(path, body, {"Content-Type": "application/json"}, at=NOW)
    return raw(path, [*fields, *further.items()], body)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(tmp_path) as door:
        yield door


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[tuple[Door, HeldHost]]:
    host = HeldHost()
    async with a_door(tmp_path, host=host) as door:
        yield door, host


def _has_begun(host: HeldHost, number: int) -> bool:
    return len(host.held) > number


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_connection_serves_one_request_after_the_other(door: Door) -> None:
    reader, writer = await door.connect()
    for number in range(5):
        writer.write(a_request(b"%d" % number))
        assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert [each.body for each in door.host.invocations] == [b"0", b"1", b"2", b"3", b"4"]
    assert door.by_asgi == 0


async def test_a_connection_is_kept_after_a_refusal(door: Door) -> None:
    reader, writer = await door.connect()
    lines: list[tuple[Answer | Exception, int]] = [
        (Answer(500, b"no", None, "v", 1), 424),
        (QueueFull("sentiment", 100), 503),
        (DONE, 200),
    ]
    for line, status in lines:
        door.host.line = line
        writer.write(a_request())
        assert (await read_answer(reader)).startswith(b"HTTP/1.1 %d " % status)
    writer.write(a_request().replace(b"Signature=", b"Signature=0"))
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 400 ")
    writer.write(a_request())
    assert (await read_answer(reader)).endswith(b"done")


async def test_requests_that_come_at_once_are_answered_in_their_order(
    held: tuple[Door, HeldHost],
) -> None:
    door, host = held
    reader, writer = await door.connect()
    writer.write(b"".join(a_request(b"%d" % number) for number in range(3)))
    for number in range(3):
        await until(partial(_has_begun, host, number))
        host.held[number].set_result(Answer(200, b"%d" % number, None, "v", 1))
        assert (await read_answer(reader)).endswith(b"\r\n\r\n%d" % number)
    assert door.by_asgi == 2


async def test_an_invocation_behind_another_kind_of_request_waits_for_it(door: Door) -> None:
    reader, writer = await door.connect()
    writer.write(raw("/healthz", [("Host", "localhost")], method="GET") + a_request())
    assert b'"version"' in await read_answer(reader)
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")


async def test_a_body_may_come_in_pieces(door: Door) -> None:
    request = a_request()
    reader, writer = await door.connect()
    for start in range(0, len(request), 50):
        writer.write(request[start : start + 50])
        await writer.drain()
        await asyncio.sleep(0.001)
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert door.host.invocations[0].body == BODY
    assert door.by_asgi == 0


async def test_a_body_may_come_after_its_head(door: Door) -> None:
    reader, writer = await door.connect()
    for number in range(3):
        request = a_request(b"%d" % number)
        writer.write(request[:-1])
        await asyncio.sleep(0.01)
        assert len(door.host.invocations) == number
        writer.write(request[-1:])
        assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert [each.body for each in door.host.invocations] == [b"0", b"1", b"2"]
    assert door.by_asgi == 0


@pytest.mark.parametrize("pieces", [(5,), (5, 12), (1, 2, 3)])
async def test_a_body_may_come_in_pieces_after_its_head(
    door: Door, pieces: tuple[int, ...]
) -> None:
    reader, writer = await door.connect()
    for _ in range(2):  # and so may the next
        request = a_request()
        start = len(request) - len(BODY)
        writer.write(request[:start])
        for piece in pieces:
            await asyncio.sleep(0.005)
            writer.write(request[start : start + piece])
            start += piece
        await asyncio.sleep(0.005)
        writer.write(request[start:])
        assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert [each.body for each in door.host.invocations] == [BODY, BODY]
    assert door.by_asgi == 0


async def test_what_comes_behind_a_body_that_came_after_its_head_is_answered_too(
    door: Door,
) -> None:
    reader, writer = await door.connect()
    request = a_request()
    writer.write(request[: -len(BODY)])
    await asyncio.sleep(0.005)
    writer.write(request[-len(BODY) :] + a_request(b"second"))
    for _ in range(2):
        assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert [each.body for each in door.host.invocations] == [BODY, b"second"]


async def test_a_head_whose_body_does_not_come_is_timed_out(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = await door.connect()
    writer.write(a_request())
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    monkeypatch.setattr(bodies, "BODY_S", 0.1)
    writer.write(a_request()[: -len(BODY)])
    assert (await asyncio.wait_for(read_answer(reader), PATIENCE_S)).startswith(b"HTTP/1.1 408")
    writer.write(BODY + a_request())
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
    assert len(door.host.invocations) == 2


async def test_a_body_that_trickles_in_after_its_head_does_not_get_more_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.3)
    reader, writer = await door.connect()
    begun = time.monotonic()
    writer.write(a_request()[: -len(BODY)])
    await asyncio.sleep(0.2)
    writer.write(BODY[:1])
    assert (await asyncio.wait_for(read_answer(reader), PATIENCE_S)).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 0.45


async def test_a_stop_waits_for_the_body_of_a_head_that_has_come(door: Door) -> None:
    reader, writer = await door.connect()
    request = a_request()
    writer.write(request[: -len(BODY)])
    await until(lambda: door.server.server_state.connections)
    await asyncio.sleep(0.01)
    stopping = asyncio.create_task(door.server.shutdown())
    await asyncio.sleep(0.01)
    writer.write(request[-len(BODY) :])
    answer = await reader.read()
    assert answer.endswith(b"connection: close\r\n\r\n{}")
    await asyncio.wait_for(stopping, PATIENCE_S)


@pytest.mark.parametrize("is_short", [True, False])
async def test_a_body_that_does_not_end_is_timed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_short: bool
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.2)
    async with a_door(tmp_path, is_short=is_short) as door:
        reader, writer = await door.connect()
        request, answer = a_request(), b""
        writer.write(request[:-5])
        for byte in request[-5:-1]:  # that it goes on does not prolong the time
            await asyncio.sleep(0.06)
            writer.write(bytes([byte]))
        answer = await asyncio.wait_for(read_answer(reader), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"x-amzn-errortype: RequestTimeout\r\n" in answer
    assert door.host.invocations == []


async def test_after_a_timeout_the_rest_of_the_body_is_passed_over(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    reader, writer = await door.connect()
    writer.write(a_request()[:-5])
    assert (await read_answer(reader)).startswith(b"HTTP/1.1 408")
    writer.write(a_request()[-5:] + a_request())
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")


async def test_who_waits_for_a_continue_gets_it(door: Door) -> None:
    request = a_request(Expect="100-continue")
    reader, writer = await door.connect()
    writer.write(request[: -len(BODY)])
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")


async def test_chunks_are_put_together(door: Door) -> None:
    fields = signed(PATH, BODY, {"Content-Type": "application/json"}, at=NOW)
    chunked = [field for field in fields if field[0] != "Content-Length"]
    chunked.append(("Transfer-Encoding", "chunked"))
    body = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:])
    assert (await door.exchange(raw(PATH, chunked, body))).endswith(b"\r\n\r\n{}")
    assert door.host.invocations[0].body == BODY


async def test_a_client_that_leaves_withdraws_its_request(held: tuple[Door, HeldHost]) -> None:
    door, host = held
    _, writer = await door.connect()
    writer.write(a_request())
    await until(lambda: host.held)
    assert door.invocations.in_flight == 1
    writer.close()
    await until(lambda: host.held[0].cancelled())
    await until(lambda: door.invocations.in_flight == 0)


async def test_a_client_that_leaves_before_its_body_is_whole_asks_nothing(door: Door) -> None:
    _, writer = await door.connect()
    writer.write(a_request()[:-5])
    await until(lambda: door.server.server_state.connections)
    writer.close()
    await until(lambda: not door.server.server_state.connections)
    assert door.host.invocations == []


async def test_a_client_that_leaves_is_withdrawn_from_the_long_path_too(tmp_path: Path) -> None:
    host = HeldHost()
    async with a_door(tmp_path, host=host, is_short=False) as door:
        _, writer = await door.connect()
        writer.write(a_request())
        await until(lambda: host.held)
        writer.close()
        await until(lambda: host.held[0].cancelled())


async def test_an_answer_that_comes_when_nobody_waits_is_dropped(
    held: tuple[Door, HeldHost],
) -> None:
    door, host = held
    _, writer = await door.connect()
    writer.write(a_request())
    await until(lambda: host.held)
    host.held[0].set_result(DONE)
    writer.transport.abort()
    await until(lambda: not door.server.server_state.connections)
    assert door.invocations.in_flight == 0


async def test_a_stop_waits_for_what_is_under_way_and_for_nothing_else(
    held: tuple[Door, HeldHost],
) -> None:
    door, host = held
    idle, _ = await door.connect()
    reader, writer = await door.connect()
    writer.write(a_request())
    await until(lambda: host.held)
    stopping = asyncio.create_task(door.server.shutdown())
    assert await idle.read() == b""
    host.held[0].set_result(DONE)
    answer = await reader.read()
    assert answer.endswith(b"connection: close\r\n\r\ndone")
    await asyncio.wait_for(stopping, PATIENCE_S)


async def test_a_client_that_does_not_read_its_answers_is_not_served_for_ever(door: Door) -> None:
    door.host.line = Answer(200, b"x" * 2_000_000, None, "v", 1)
    reader, writer = await door.connect()
    for _ in range(40):
        writer.write(a_request())
    await until(lambda: len(door.host.invocations) > 1)
    for _ in range(50):
        await asyncio.sleep(0.002)
    assert len(door.host.invocations) < 15
    for _ in range(40):  # and yet each is answered once they are read
        assert len(await asyncio.wait_for(read_answer(reader), PATIENCE_S)) > 2_000_000


class RefusingHost(ScriptedHost):
    """Raises at once, as a host may."""

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        raise EndpointNotInService(name=invocation.endpoint, account_id="000000000000")


@pytest.mark.parametrize("is_short", [True, False])
async def test_a_host_may_refuse_at_once(tmp_path: Path, *, is_short: bool) -> None:
    async with a_door(tmp_path, host=RefusingHost(), is_short=is_short) as door:
        answer = await door.exchange(a_request())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Endpoint sentiment of account 000000000000 not found." in answer
    assert door.invocations.in_flight == 0


async def test_a_host_that_gives_up_closes_the_connection(held: tuple[Door, HeldHost]) -> None:
    door, host = held
    reader, writer = await door.connect()
    writer.write(a_request())
    await until(lambda: host.held)
    host.held[0].cancel()
    assert await reader.read() == b""


async def test_a_connection_is_kept_for_some_time_after_its_last_answer(door: Door) -> None:
    reader, writer = await door.connect()
    await until(lambda: door.server.server_state.connections)
    (connection,) = door.server.server_state.connections
    cast("InvocationProtocol", connection).timeout_keep_alive = cast("int", 0.3)
    last = begun = time.monotonic()
    while last < begun + 0.5:
        writer.write(a_request())
        assert (await read_answer(reader)).endswith(b"\r\n\r\n{}")
        last = time.monotonic()
        await asyncio.sleep(0.05)
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    assert time.monotonic() > last + 0.25


async def test_a_connection_is_kept_while_an_answer_takes_long(
    held: tuple[Door, HeldHost],
) -> None:
    door, host = held
    reader, writer = await door.connect()
    await until(lambda: door.server.server_state.connections)
    (connection,) = door.server.server_state.connections
    cast("InvocationProtocol", connection).timeout_keep_alive = cast("int", 0.1)
    for number in range(2):
        writer.write(a_request())
        await until(partial(_has_begun, host, number))
        await asyncio.sleep(0.2)
        host.held[number].set_result(DONE)
        assert (await read_answer(reader)).endswith(b"done")
    assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""


async def test_many_who_dawdle_keep_nobody_waiting(door: Door) -> None:
    for number in range(200):
        _, writer = await door.connect()
        writer.write((b"", b"POST / HT", a_request()[:-5])[number % 3])
    await until(lambda: len(door.server.server_state.connections) == 200)
    began = time.monotonic()
    for _ in range(20):
        assert (await door.exchange(a_request())).endswith(b"\r\n\r\n{}")
    assert time.monotonic() - began < HEAD_S  # long before any of them is sent away


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"1e400",
        b"NaN",
        b'{"a": 1, "a": 2}',
        b"9" * 300_000,
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b"POST /endpoints/other/invocations HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_a_body_is_the_models_affair(door: Door, body: bytes) -> None:
    assert (await door.exchange(a_request(body))).endswith(b"\r\n\r\n{}")
    assert [each.body for each in door.host.invocations] == [body]


@pytest.mark.parametrize("is_short", [True, False])
async def test_what_comes_after_a_last_request_is_not_read(
    tmp_path: Path, *, is_short: bool
) -> None:
    async with a_door(tmp_path, is_short=is_short) as door:
        reader, writer = await door.connect()
        writer.write(a_request(Connection="close") + a_request())
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.count(b"HTTP/1.1") == 1
    assert len(door.host.invocations) == 1


async def test_request_ids_are_uuids_and_all_different(door: Door) -> None:
    reader, writer = await door.connect()
    seen = set()
    for _ in range(20):
        writer.write(a_request())
        found = re.search(rb"x-amzn-requestid: ([0-9a-f-]{36})\r\n", await read_answer(reader))
        assert found is not None
        seen.add(found[1])
    assert len(seen) == 20
