"""Frames from a blocking socket: one read for a small one, and what came with it is kept."""

from __future__ import annotations

import socket
from collections import deque

from sagelet.worker.frames import Frame, FrameDecoder

_PIECE_BYTES = 64 * 1024


class FrameReader:
    """Reads the frames that a socket brings, in their order."""

    def __init__(self, sock: socket.socket) -> None:
        """Read nothing yet."""
        self._recv = sock.recv
        self._decoder = FrameDecoder()
        self._frames: deque[Frame] = deque()

    def read(self) -> Frame | None:
        """Wait for the next frame; None once the other side has gone.

        Raises:
            ValueError: the bytes are not a frame.
            OSError: the socket is broken.
        """
        frames = self._frames
        while not frames:
            data = self._recv(_PIECE_BYTES)
            if not data:
                return None
            frames.extend(self._decoder.feed(data))
        return frames.popleft()

    def takes_back(self, asked: object) -> bool:
        """Whether a `cancel` of the request `asked` has come, or the other side has gone.

        Nothing is waited for, and every other frame is kept for `read`.
        """
        try:
            while True:
                data = self._recv(_PIECE_BYTES, socket.MSG_DONTWAIT)
                if not data:
                    return True
                self._frames.extend(self._decoder.feed(data))
        except BlockingIOError:
            pass  # that was all
        except OSError:
            return True
        for frame in self._frames:
            if frame.header.get("op") == "cancel" and frame.header.get("id") == asked:
                self._frames.remove(frame)
                return True
        return False
