"""Answering a waiter when there is something to say, instead of at once.

boto3's waiters ask first and sleep then: 30 s for an endpoint, 120 s for a training job. An answer
`InProgress` costs them that sleep, whatever happens a moment later, so a waiter's Describe is held
until the status is settled, or `hold_s` has run out.

SDK v2's `fit(logs=True)` sleeps 5 s, describes the job, then prints its log every 10 s and
describes again after 30 s. It is held to the end, too: released when the log grows it would know
of the end 30 s late, and print the same lines no sooner than 10 s later. SDK v3's loop is another:
every 5 s it describes the job, then prints its log. Held to the end it would print nothing for
`hold_s`; it gains at most 5 s by being held at all. Such a caller is known by what it does: it
comes back within `QUICK_S`, and has read the job's log in between. It is released as soon as the
job's ARN is published again, which its runner does when the log has grown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from sagelet.control.context import Caller
from sagelet.store.changes import Changes

QUICK_S = 15.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What a held request is about. `is_settled` may block, and may raise NotFound.

    `log` is what the names of its log streams begin with, where it has any.
    """

    arn: str
    is_settled: Callable[[], bool]
    log: str | None = None


class Holding:
    """Holds requests, and remembers for a while who asked for what, to know a quick loop."""

    def __init__(
        self, changes: Changes, hold_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold for at most `hold_s` seconds; 0 turns holding off."""
        self._changes = changes
        self._hold_s = hold_s
        self._monotonic = monotonic
        self._described_at: dict[tuple[str, str], float] = {}
        self._log_read_at: dict[tuple[str, str], float] = {}

    def log_was_read(self, caller: Caller, stream: str) -> None:
        """Remember that a caller read a log stream."""
        self._note(self._log_read_at, (caller.access_key_id, stream.partition("/")[0] + "/"))

    async def hold(self, subject: Subject, caller: Caller) -> None:
        """Return when the caller should be answered; at once unless it waits.

        Raises:
            NotFound: the subject is gone, or never was.
        """
        if not caller.is_waiter or self._hold_s <= 0:
            return
        prints_log = self._prints_log(subject, caller)
        deadline = self._monotonic() + self._hold_s
        try:
            while True:
                seen = self._changes.version(subject.arn)
                left_s = deadline - self._monotonic()
                if left_s <= 0 or await asyncio.to_thread(subject.is_settled):
                    return
                if await self._changes.wait(subject.arn, seen, left_s) and prints_log:
                    return
        finally:
            self._note(self._described_at, (caller.access_key_id, subject.arn))

    def _prints_log(self, subject: Subject, caller: Caller) -> bool:
        if subject.log is None:
            return False
        described_at = self._described_at.get((caller.access_key_id, subject.arn))
        read_at = self._log_read_at.get((caller.access_key_id, subject.log))
        if described_at is None or read_at is None:
            return False
        return read_at >= described_at > self._monotonic() - QUICK_S

    def _note(self, times: dict[tuple[str, str], float], key: tuple[str, str]) -> None:
        now = self._monotonic()
        for other in [other for other, at in times.items() if at < now - QUICK_S]:
            del times[other]
        times[key] = now
