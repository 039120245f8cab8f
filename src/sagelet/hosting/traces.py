"""What workers print while they answer the requests whose lines somebody wants.

    ticket ── token ── frame ── worker: mark, handlers print, mark ── pipe ── Tracer ── lines_of(id)
                                                                         └─ without the marks: log

A token is a secret of the daemon and of that one request, so nothing that a handler prints is taken
for a mark.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict

from sagelet.worker.serving.tracing import BEGIN, MARK, MARK_BYTES, TOKEN_CHARACTERS

LINES_AT_MOST = 1000
BYTES_AT_MOST = 256_000

_KEPT = 64
_MARKS = re.compile(rb"\x1e([0-9a-f]{%d})([+-])" % TOKEN_CHARACTERS)


class Trace:
    """One request: its token, and what was printed during it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.token = secrets.token_hex(TOKEN_CHARACTERS // 2)
        self.over = asyncio.Event()
        self._said = bytearray()
        self._cut_bytes = 0

    def hear(self, data: bytes) -> None:
        """Take what was printed, as far as there is room."""
        room = BYTES_AT_MOST - len(self._said)
        self._said += data[:room]
        self._cut_bytes += max(0, len(data) - room)

    def lines(self) -> tuple[str, ...]:
        """Return the lines; the last one says what was cut, if something was."""
        if not self._said:
            return ()
        text = self._said.decode("utf-8", "replace")
        lines = [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]
        kept, cut = lines[:LINES_AT_MOST], len(lines) - LINES_AT_MOST
        if cut > 0 or self._cut_bytes:
            rest = sum(len(line.encode()) + 1 for line in lines[LINES_AT_MOST:]) + self._cut_bytes
            kept.append(f"[{rest} bytes more were printed; they are in the log]")
        return tuple(kept)


class Traces:
    """The traces of a host, on the daemon's event loop."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_id: OrderedDict[str, Trace] = OrderedDict()
        self._by_token: OrderedDict[bytes, Trace] = OrderedDict()

    @property
    def is_any(self) -> bool:
        """Whether marks are to be looked for."""
        return bool(self._by_token)

    def of(self, trace_id: str) -> Trace:
        """Return a request's trace, which is made when its worker is asked first."""
        found = self._by_id.get(trace_id)
        if found is None:
            found = self._by_id[trace_id] = Trace()
            self._by_token[found.token.encode("ascii")] = found
            for known in (self._by_id, self._by_token):
                if len(known) > _KEPT:
                    known.popitem(last=False)
        return found

    def marked(self, token: bytes) -> Trace | None:
        """Return whose token this is, if it is one."""
        return self._by_token.get(token)

    def end(self, trace: Trace) -> None:
        """Look for no more marks of a trace."""
        self._by_token.pop(trace.token.encode("ascii"), None)
        trace.over.set()

    async def lines_of(self, trace_id: str, timeout_s: float) -> tuple[str, ...]:
        """Return what was printed during a request, once; wait for its end, but not for long."""
        trace = self._by_id.pop(trace_id, None)
        if trace is None:
            return ()
        try:
            async with asyncio.timeout(timeout_s):
                await trace.over.wait()
        except TimeoutError:
            return trace.lines()  # as far as it has come
        return trace.lines()


class Tracer:
    """Takes the marks out of one worker's output."""

    def __init__(self, traces: Traces) -> None:
        """Begin outside of every request."""
        self._traces = traces
        self._current: Trace | None = None
        self._held = b""

    @property
    def is_needed(self) -> bool:
        """Whether output has to pass through here."""
        return self._traces.is_any or bool(self._held)

    def without_marks(self, data: bytes) -> bytes:
        """Return what came without its marks; what may be half of one is held until the rest."""
        data, self._held = self._held + data, b""
        pieces, start = [], 0
        for mark in _MARKS.finditer(data):
            trace = self._traces.marked(mark[1])
            if trace is None:
                continue  # somebody else's
            pieces.append(self._hear(data[start : mark.start()]))
            start = mark.end()
            if mark[2] == BEGIN:
                self._current = trace
            else:
                self.end()
        rest = data[start:]
        half = rest.rfind(MARK, max(0, len(rest) - MARK_BYTES + 1))
        if half >= 0 and self._traces.is_any:
            rest, self._held = rest[:half], rest[half:]
        pieces.append(self._hear(rest))
        return b"".join(pieces)

    def last(self) -> bytes:
        """Return what was held, now that nothing more comes."""
        held, self._held = self._held, b""
        self._hear(held)
        self.end()
        return held

    def end(self) -> None:
        """End the trace that is under way, if one is."""
        if self._current is not None:
            self._traces.end(self._current)
            self._current = None

    def _hear(self, data: bytes) -> bytes:
        if self._current is not None:
            self._current.hear(data)
        return data
