"""Which calls the history gets, and how they come there: nobody who calls waits for it.

    a worker's answer ── is one due? ── waiting, bounded ── a thread ── history ── told of

Of each variant the first calls are taken, and one a second where there are many, its failures
beside the others; all of those that are traced, and none of those that come by a public page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Protocol

from sagelet.domain.clock import Clock
from sagelet.domain.invocation import Answer, Invocation
from sagelet.hosting.call_history import KeptCalls, Made

log = logging.getLogger(__name__)

AT_ONCE = 20
"""So many calls are taken as they come; then one for each second that goes by."""
PUBLIC = "public"

_ALLOWANCES = 1000
_LOOK_AGAIN_S = 1.0
_SOON_S = 0.05
_BATCHES_APART_S = 1.0
_WAITING_CALLS = 500
_WAITING_BYTES = 32_000_000


class Recorder(Protocol):
    """What is told of answers. Times are those of `time.monotonic`."""

    def take(self, invocation: Invocation, answer: Answer, now: float) -> float:
        """Take a call that was due; return when the next one is."""
        ...

    def keep(self, invocation: Invocation, answer: Answer) -> None:
        """Take a call in any case, unless it came by a public page."""
        ...


class NoRecorder:
    """Takes nothing."""

    def take(self, invocation: Invocation, answer: Answer, now: float) -> float:
        """Never be told again."""
        del invocation, answer, now
        return inf

    def keep(self, invocation: Invocation, answer: Answer) -> None:
        """Forget it."""


class CallRecorder:
    """Hands calls to the history, on the daemon's event loop."""

    def __init__(
        self, history: KeptCalls, clock: Clock, on_kept: Callable[[str], None] = lambda _: None
    ) -> None:
        """Begin with none. `on_kept` is told the name of each endpoint that has new calls."""
        self._history = history
        self._clock = clock
        self._on_kept = on_kept
        self._allowances: dict[tuple[str, str, bool], tuple[float, float]] = {}
        self._waiting: list[Made] = []
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    def take(self, invocation: Invocation, answer: Answer, now: float) -> float:
        """Take a call that was due; return when the next one is."""
        if invocation.trace or invocation.source == PUBLIC:
            return now  # a traced one is kept in any case, see `keep`
        if not self._history.is_on:
            return now + _LOOK_AGAIN_S
        self.keep(invocation, answer)
        is_good = 100 <= answer.status < 400
        return now + self._wait_s((invocation.endpoint, answer.variant, is_good), now)

    def _wait_s(self, whose: tuple[str, str, bool], now: float) -> float:
        """Take one from an allowance, which grows by one a second; return until when it is used."""
        left, since = self._allowances.pop(whose, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + now - since) - 1
        self._allowances[whose] = (left, now)
        if len(self._allowances) > _ALLOWANCES:
            del self._allowances[next(iter(self._allowances))]
        return max(0.0, 1 - left)

    def keep(self, invocation: Invocation, answer: Answer) -> None:
        """Take a call in any case, unless it came by a public page."""
        if invocation.source == PUBLIC:
            return
        size = len(invocation.body) + len(answer.body)
        is_full = len(self._waiting) >= _WAITING_CALLS
        if is_full or self._waiting_bytes + size > _WAITING_BYTES:
            self._history.dropped += 1
            return
        at = self._clock.now() - timedelta(milliseconds=answer.timing.total_ms)
        self._waiting_bytes += size
        self._waiting.append(Made(invocation, answer, at))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def flush(self) -> None:
        """Wait until all that was taken is written down."""
        self._hurry.set()
        while self._writing is not None:
            await asyncio.shield(self._writing)
        self._hurry.clear()

    async def _write(self) -> None:
        try:
            await self._pause(_SOON_S)  # so that calls which come together go together
            while self._waiting:
                made, self._waiting, self._waiting_bytes = self._waiting, [], 0
                await asyncio.to_thread(self._history.record, made)
                for endpoint in {each.invocation.endpoint for each in made}:
                    self._on_kept(endpoint)
                await self._pause(_BATCHES_APART_S)
        except Exception:
            log.exception("the history of calls")  # a defect of ours; the next call begins anew
        finally:
            self._writing = None

    async def _pause(self, seconds: float) -> None:
        """Wait for a while, or until somebody is in a hurry."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return
