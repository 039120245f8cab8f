"""A serving worker's life: load, say so, answer frames until told to stop.

It is synchronous and single-threaded around the handlers, as the real container's worker is: one
request at a time. What handlers print goes to descriptor 1, which is the log; frames have a socket
of their own.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from time import perf_counter
from typing import Any

from sagelet.worker.frames import Frame, frame_of
from sagelet.worker.reading import FrameReader
from sagelet.worker.serving import stand_in, stand_in_ts
from sagelet.worker.serving.advice import advice
from sagelet.worker.serving.answers import Responder
from sagelet.worker.serving.batches import answer_batch
from sagelet.worker.serving.context import Context, first_gpu
from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.heads import head_of
from sagelet.worker.serving.loading import LoadedModel, folders, load, seen_model_dir
from sagelet.worker.serving.preparing import Preparing
from sagelet.worker.serving.reloading import Reloader
from sagelet.worker.serving.telling import tell
from sagelet.worker.serving.tracebacks import describe
from sagelet.worker.serving.tracing import Tracing, flush
from sagelet.worker.serving.user_code import UserCode
from sagelet.worker.spec import ServeOrder


def serve(order: ServeOrder, sock: socket.socket) -> int:
    """Load the order's model and answer frames; return the exit code.

    0 after a stop or at the end of the socket, 1 if the model did not load.
    """
    code = UserCode(folders(order))
    code.install()
    try:
        stand_in.offer()
        stand_in_ts.offer()
        _dump_stacks_on_abort()
        return _Session(order, sock, code).run()
    finally:
        stand_in_ts.withdraw()
        stand_in.withdraw()
        code.remove()


class _Session:
    """One worker, from loading to its last frame."""

    def __init__(self, order: ServeOrder, sock: socket.socket, code: UserCode) -> None:
        strict = order.contract == "strict"
        self._order = order
        self._strict = strict
        self._line = _Line(sock)
        self._tracing = Tracing()
        self._context = Context(seen_model_dir(order), strict=strict, gpu_id=first_gpu())
        self._defaults = PyTorchDefaults(strict=strict)
        self._reloader = Reloader(order.program, code, self._defaults)

    def run(self) -> int:
        begun = perf_counter()
        try:
            loaded = load(self._order, self._context, self._defaults)
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            failure = describe(error, otherwise=self._order.code_dir)
            tell(failure.traceback)
            what_to_do = advice(error, self._order.model_dir)
            self._line.send({"op": "load_failed", **asdict(failure), "advice": what_to_do})
            return 1
        self._line.send(
            {
                "op": "loaded",
                "generation": loaded.generation,
                "load_ms": round((perf_counter() - begun) * 1000, 3),
                "functions": list(loaded.handlers.defined),
                "batches": loaded.handlers.batch is not None,
            }
        )
        return self._answer_frames(self._responder(loaded))

    def _responder(self, loaded: LoadedModel) -> Responder:
        return Responder(
            loaded,
            self._context,
            strict=self._strict,
            default_accept=os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", ""),
            max_request_bytes=self._order.max_request_bytes,
            max_response_bytes=self._order.max_response_bytes,
        )

    def _answer_frames(self, responder: Responder) -> int:
        line = self._line
        preparing = Preparing(self._reloader, responder)
        while True:
            frame = line.read()
            if frame is None:
                return 0
            header, body = frame
            op = header["op"]
            if op == "invoke":
                answer, result = responder.answer(header, body, line)
            elif op == "invoke_batch":
                answer, result = answer_batch(responder, header["requests"], body)
            elif op == "invoke_traced":
                with self._tracing.of(header["token"]):
                    answer, result = responder.answer(header, body, line)
            elif op == "stop":
                return 0
            else:
                said = preparing.reply(header, body)
                if said is None:
                    continue
                answer, result = said, b""
            if not line.send(answer, result):
                return 0


class _Line:
    """The worker's end of the socket; what goes out in parts goes out here."""

    def __init__(self, sock: socket.socket) -> None:
        self._reader = FrameReader(sock)
        self._sendall = sock.sendall

    def read(self) -> Frame | None:
        """Wait for the next frame; None once the daemon is gone, and so shall we be."""
        try:
            return self._reader.read()
        except OSError:
            return None

    def send(self, header: Mapping[str, Any], body: bytes = b"") -> bool:
        """Send a frame once the log has all that the handlers printed; False if nobody reads."""
        flush(sys.stdout)
        flush(sys.stderr)
        try:
            self._sendall(frame_of(head_of(header), body))
        except OSError:
            return False
        return True

    def begin(self, header: Mapping[str, Any]) -> None:
        """Send what goes before the parts of an answer."""
        self.send(header)

    def part(self, asked: Any, body: bytes) -> bool:
        """Send a part; False once it was the last that somebody wants."""
        return self.send({"op": "part", "id": asked}, body) and not self._reader.takes_back(asked)


def _dump_stacks_on_abort() -> None:
    """On SIGABRT (the daemon's, for a handler that hangs) write all stacks to the log."""
    if not faulthandler.is_enabled():
        faulthandler.enable(sys.__stderr__ or 2)
