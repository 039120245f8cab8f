"""Frames, whole and in pieces."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.worker.frames import Frame, FrameDecoder, encode_frame, finish_frame, read_frame

headers = st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none()))


@given(st.lists(st.tuples(headers, st.binary(max_size=200)), max_size=5), st.integers(1, 50))
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    messages: list[tuple[dict[str, object], bytes]], piece: int
) -> None:
    data = b"".join(encode_frame(header, body) for header, body in messages)
    decoder = FrameDecoder()

    frames = [
        frame
        for start in range(0, len(data), piece)
        for frame in decoder.feed(data[start : start + piece])
    ]

    assert frames == [Frame(header, body) for header, body in messages]


def test_a_frame_is_two_lengths_a_header_and_a_body() -> None:
    assert encode_frame({"op": "x"}, b"\x00\xff") == b"\0\0\0\x0a\0\0\0\x02" + b'{"op":"x"}\x00\xff'


def test_a_blocking_socket_gives_frames_and_then_none() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        body = bytes(range(256)) * 4096

        def send() -> None:
            theirs.sendall(encode_frame({"id": 1}, body) + encode_frame({"id": 2}))
            theirs.close()

        sender = threading.Thread(target=send)
        sender.start()
        assert read_frame(ours) == Frame({"id": 1}, body)
        assert read_frame(ours) == Frame({"id": 2}, b"")
        assert read_frame(ours) is None
        sender.join()


def test_a_frame_that_was_cut_off_is_none() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(encode_frame({"id": 1}, b"body")[:-1])
        theirs.close()
        assert read_frame(ours) is None


def test_a_frame_can_be_finished_from_its_first_bytes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data = encode_frame({"id": 1}, b"body")
        theirs.sendall(data[3:])
        assert finish_frame(ours, data[:3]) == Frame({"id": 1}, b"body")


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"\0\0\0\x02\0\0\0\0[]", b"\0\0\0\x03\0\0\0\0{,}"],
    ids=["another protocol", "not an object", "not JSON"],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        FrameDecoder().feed(data)
