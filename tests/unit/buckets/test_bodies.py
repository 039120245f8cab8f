import asyncio
import io
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.buckets.bodies import IncomingBody, drafting, pieces
from sagelet.errors import DiskFull, StateError
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead

KIB = 1 << 10
MIB = 1 << 20


class Sink:
    """Keeps what is written, and tells whether it was written on the event loop."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sizes: list[int] = []
        self.data = bytearray()
        self.threads: set[int] = set()
        self._error = error

    def write(self, data: bytes) -> None:
        if self._error:
            raise self._error
        self.threads.add(threading.get_ident())
        self.sizes.append(len(data))
        self.data += data


async def parts(*given: bytes | Exception) -> AsyncIterator[bytes]:
    for part in given:
        if isinstance(part, Exception):
            raise part
        yield part


def a_head(**headers: str) -> RequestHead:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return RequestHead("PUT", "/b/k", "", Headers(pairs))


async def test_a_body_is_written_in_pieces_of_a_mib_outside_the_event_loop() -> None:
    sink = Sink()
    body = IncomingBody(a_head(), parts(*[b"x" * (64 * KIB)] * 40))
    rest = await body.into(sink)
    assert sink.sizes == [MIB, MIB]
    assert len(rest) == 512 * KIB
    assert threading.get_ident() not in sink.threads


async def test_pieces_keep_their_order() -> None:
    sink = Sink()
    sent = [bytes([number]) * (600 * KIB) for number in range(9)]
    rest = await IncomingBody(a_head(), parts(*sent)).into(sink)
    assert bytes(sink.data) + rest == b"".join(sent)


async def test_a_small_body_is_left_to_be_written_with_the_end() -> None:
    sink = Sink()
    assert (
        await IncomingBody(a_head(content_length="5"), parts(b"he", b"llo")).into(sink) == b"hello"
    )
    assert sink.sizes == []


@pytest.mark.parametrize("declared", ["4", "6", str(2 * MIB)])
async def test_a_body_of_another_length_is_incomplete(declared: str) -> None:
    body = IncomingBody(a_head(content_length=declared), parts(b"hello"))
    with pytest.raises(Fault) as raised:
        await body.into(Sink())
    assert raised.value.code == "IncompleteBody"


async def test_a_failure_to_write_is_told() -> None:
    full = DiskFull(path="/x", free_bytes=0)
    with pytest.raises(DiskFull):
        await IncomingBody(a_head(), parts(b"x" * MIB)).into(Sink(full))
    with pytest.raises(DiskFull):
        await IncomingBody(a_head(), parts(*[b"x" * MIB] * 5)).into(Sink(full))


async def test_nothing_is_being_written_once_the_client_has_left() -> None:
    sink = Sink()
    body = IncomingBody(a_head(), parts(b"x" * MIB, ConnectionResetError()))
    with pytest.raises(ConnectionResetError):
        await body.into(sink)
    assert sink.sizes == [MIB]


async def test_nothing_is_being_written_once_the_request_is_cancelled() -> None:
    begun, go_on = threading.Event(), threading.Event()
    ended: list[int] = []

    class Slow(Sink):
        def write(self, data: bytes) -> None:
            begun.set()
            go_on.wait(5)
            ended.append(len(data))

    body = IncomingBody(a_head(), parts(*[b"x" * MIB] * 3))
    task = asyncio.create_task(body.into(Slow()))
    assert await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [MIB]


class Writer:
    def __init__(self) -> None:
        self.closed_by = 0

    def close(self) -> None:
        self.closed_by = threading.get_ident()


async def test_a_writer_is_closed_outside_the_event_loop_whatever_happens() -> None:
    writer = Writer()
    with pytest.raises(ConnectionResetError):
        async with drafting(lambda: writer):
            raise ConnectionResetError
    assert writer.closed_by not in (0, threading.get_ident())


async def test_a_writer_that_is_made_for_nobody_is_closed() -> None:
    begun, go_on = threading.Event(), threading.Event()
    writer = Writer()

    def make() -> Writer:
        begun.set()
        go_on.wait(5)
        return writer

    async def use() -> None:
        async with drafting(make):
            raise AssertionError

    task = asyncio.create_task(use())
    assert await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert writer.closed_by


async def test_a_writer_that_cannot_be_made_is_no_writer() -> None:
    def make() -> Writer:
        raise DiskFull(path="/x", free_bytes=0)

    with pytest.raises(DiskFull):
        async with drafting(make):
            raise AssertionError


async def test_a_document_is_read_whole_within_bounds() -> None:
    assert await IncomingBody(a_head(), parts(b"<a>", b"</a>")).whole() == b"<a></a>"
    with pytest.raises(Fault) as raised:
        await IncomingBody(a_head(), parts(*[b"x" * MIB] * 5)).whole()
    assert raised.value.code == "MalformedXML"


async def test_a_chunked_body_is_decoded_and_measured() -> None:
    head = a_head(
        x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        x_amz_decoded_content_length="5",
        content_length="999",
    )
    body = IncomingBody(head, parts(b"5\r\nhel", b"lo\r\n0\r\nx-amz-checksum-crc32:abc\r\n\r\n"))
    assert await body.into(Sink()) == b"hello"
    assert body.trailers["x-amz-checksum-crc32"] == "abc"


def test_more_than_5_gib_are_refused_by_the_head() -> None:
    with pytest.raises(Fault) as raised:
        IncomingBody(a_head(content_length=str((5 << 30) + 1)), parts())
    assert raised.value.code == "EntityTooLarge"


async def test_a_file_goes_out_in_pieces_and_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 12 * KIB)
    file = path.open("rb")
    sent = [piece async for piece in pieces(file, 1, 2 * MIB + 5)]
    assert [len(piece) for piece in sent] == [MIB, MIB, 5]
    assert b"".join(sent) == path.read_bytes()[1 : 2 * MIB + 6]
    assert file.closed


async def test_a_file_that_became_shorter_ends_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"short")
    with pytest.raises(StateError):
        _ = [piece async for piece in pieces(path.open("rb"), 0, 10)]


def test_a_sink_is_anything_that_can_be_written_to() -> None:
    sink = io.BytesIO()
    rest = asyncio.run(IncomingBody(a_head(), parts(b"x" * MIB, b"y")).into(_Binary(sink)))
    assert sink.getvalue() + rest == b"x" * MIB + b"y"


class _Binary:
    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        self._file.write(data)
