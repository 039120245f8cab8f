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
from contextlib import suppress
from dataclasses import asdict
from time import perf_counter
from typing import Any

from sagelet.worker.frames import Frame, encode_frame, read_frame
from sagelet.worker.serving import stand_in
from sagelet.worker.serving.advice import advice
from sagelet.worker.serving.answers import Responder
from sagelet.worker.serving.context import Context
from sagelet.worker.serving.defaults import PyTorchDefaults
from sagelet.worker.serving.loading import folders, load, seen_model_dir
from sagelet.worker.serving.reloading import NeedsFresh, Prepared, Reloader
from sagelet.worker.serving.tracebacks import describe
from sagelet.worker.serving.user_code import UserCode
from sagelet.worker.spec import ServeOrder

Header = dict[str, Any]


def serve(order: ServeOrder, sock: socket.socket) -> int:
    """Load the order's model and answer frames; return the exit code.

    0 after a stop or at the end of the socket, 1 if the model did not load.
    """
    code = UserCode(folders(order))
    code.install()
    try:
        stand_in.offer()
        _dump_stacks_on_abort()
        return _Session(order, sock, code).run()
    finally:
        code.remove()


class _Session:
    """One worker, from loading to its last frame."""

    def __init__(self, order: ServeOrder, sock: socket.socket, code: UserCode) -> None:
        strict = order.contract == "strict"
        self._order = order
        self._sock = sock
        self._strict = strict
        self._context = Context(seen_model_dir(order), strict=strict)
        self._defaults = PyTorchDefaults(strict=strict)
        self._reloader = Reloader(order.program, code, self._defaults)
        self._prepared: Prepared | None = None

    def run(self) -> int:
        begun = perf_counter()
        try:
            loaded = load(self._order, self._context, self._defaults)
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            failure = describe(error, otherwise=self._order.code_dir)
            sys.stderr.write(failure.traceback)
            what_to_do = advice(error, self._order.model_dir)
            self._send({"op": "load_failed", **asdict(failure), "advice": what_to_do})
            return 1
        default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
        responder = Responder(
            loaded, self._context, strict=self._strict, default_accept=default_accept
        )
        self._send(
            {
                "op": "loaded",
                "generation": loaded.generation,
                "load_ms": round((perf_counter() - begun) * 1000, 3),
                "functions": list(loaded.handlers.defined),
            }
        )
        return self._answer_frames(responder)

    def _answer_frames(self, responder: Responder) -> int:
        while True:
            frame = self._read()
            if frame is None or frame.header["op"] == "stop":
                return 0
            answer, body = self._handle(frame, responder)
            if answer is not None and not self._send(answer, body):
                return 0

    def _handle(self, frame: Frame, responder: Responder) -> tuple[Header | None, bytes]:
        header = frame.header
        if header["op"] == "invoke":
            return responder.answer(header, frame.body)
        if header["op"] == "prepare":
            return self._prepare(header, responder), b""
        if header["op"] == "commit" and self._prepared is not None:
            responder.loaded = self._reloader.commit(self._prepared)
            self._prepared = None
            return {"op": "committed", "generation": responder.loaded.generation}, b""
        self._prepared = None
        return None, b""

    def _prepare(self, header: Mapping[str, Any], responder: Responder) -> Header:
        generation = header["generation"]
        self._prepared = None
        outcome = self._reloader.prepare(responder.loaded, generation, header["changed"])
        if isinstance(outcome, NeedsFresh):
            return {"op": "needs_fresh", "generation": generation, "why": outcome.why}
        if isinstance(outcome, Prepared):
            self._prepared = outcome
            return {
                "op": "prepared",
                "generation": generation,
                "model": "kept",
                "ms": outcome.ms,
                "modules": sorted(outcome.remade.modules),
            }
        return {"op": "prepare_failed", "generation": generation, **asdict(outcome)}

    def _read(self) -> Frame | None:
        try:
            return read_frame(self._sock)
        except OSError:
            return None  # the daemon is gone; so shall we be

    def _send(self, header: Mapping[str, Any], body: bytes = b"") -> bool:
        """Send a frame once the log has all that the handlers printed; False if nobody reads."""
        _flush()
        try:
            self._sock.sendall(encode_frame(header, body))
        except OSError:
            return False
        return True


def _flush() -> None:
    # A stream that a handler closed, or that nobody reads, is the handler's loss only.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _dump_stacks_on_abort() -> None:
    """On SIGABRT (the daemon's, for a handler that hangs) write all stacks to the log."""
    if not faulthandler.is_enabled():
        faulthandler.enable(sys.__stderr__ or 2)
