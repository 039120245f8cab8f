"""Frames from a socket: whole ones, pieces, and what may not be waited for."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from sagelet.worker.frames import Frame, encode_frame
from sagelet.worker.reading import FrameReader


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_frames_that_come_together_are_read_one_by_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    ours.sendall(encode_frame({"op": "a"}, b"1") + encode_frame({"op": "b"}))
    reader = FrameReader(theirs)
    assert reader.read() == Frame({"op": "a"}, b"1")
    assert reader.read() == Frame({"op": "b"}, b"")


def test_a_frame_larger_than_one_piece_is_read_whole(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    body = bytes(range(256)) * 400
    ours.sendall(encode_frame({"op": "a"}, body))
    assert FrameReader(theirs).read() == Frame({"op": "a"}, body)


def test_the_end_of_the_socket_is_no_frame(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    ours.close()
    reader = FrameReader(theirs)
    assert reader.read() is None
    assert reader.takes_back(1)


def test_a_cancel_is_seen_without_waiting_and_other_frames_are_kept(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    reader = FrameReader(theirs)
    assert not reader.takes_back(1)
    ours.sendall(encode_frame({"op": "invoke", "id": 2}) + encode_frame({"op": "cancel", "id": 1}))
    assert not reader.takes_back(7)
    assert reader.takes_back(1)
    assert not reader.takes_back(1)
    assert reader.read() == Frame({"op": "invoke", "id": 2}, b"")
