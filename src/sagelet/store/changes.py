"""Who waits for a resource to change, and the versions that tell them that it did."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

_Waiter: TypeAlias = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class News(StrEnum):
    """What is new of a resource."""

    RECORD = "record"
    LOG = "log"


Observer: TypeAlias = Callable[[str, News], None]


class Changes:
    """A version number for each ARN, counted up by `publish` from any thread.

    Read a version, then the resource, then wait for what comes after that version: a change between
    the two reads is not missed. Versions live as long as the process.
    """

    def __init__(self) -> None:
        """Start with every ARN at version 0."""
        self._lock = threading.Lock()
        self._versions: dict[str, int] = defaultdict(int)
        self._waiters: dict[str, set[_Waiter]] = {}
        self._observers: tuple[Observer, ...] = ()

    def version(self, arn: str) -> int:
        """Return how often the ARN was published."""
        with self._lock:
            return self._versions.get(arn, 0)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Tell an observer of every ARN that is published, and what is new; return what ends that.

        It is called on the publisher's thread, which it must not hold up.
        """
        with self._lock:
            self._observers = (*self._observers, observer)
        return lambda: self._dismiss(observer)

    def publish(self, arn: str, news: News = News.RECORD) -> None:
        """Count the ARN's version up and wake those who wait for it."""
        with self._lock:
            self._versions[arn] += 1
            waiters = self._waiters.pop(arn, set())
            # Under the lock, so that `wait` cannot leave its loop in the middle of this.
            for loop, woken in waiters:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_wake, woken)
            observers = self._observers
        for observer in observers:
            observer(arn, news)

    async def wait(self, arn: str, since: int, timeout_s: float) -> bool:
        """Wait until the ARN's version is above `since`; False when the time ran out."""
        loop = asyncio.get_running_loop()
        waiter: _Waiter = (loop, loop.create_future())
        with self._lock:
            if self._versions.get(arn, 0) > since:
                return True
            self._waiters.setdefault(arn, set()).add(waiter)
        try:
            await asyncio.wait_for(waiter[1], timeout_s)
        except TimeoutError:
            return self.version(arn) > since
        finally:
            self._forget(arn, waiter)
        return True

    def _dismiss(self, observer: Observer) -> None:
        with self._lock:
            self._observers = tuple(each for each in self._observers if each is not observer)

    def _forget(self, arn: str, waiter: _Waiter) -> None:
        with self._lock:
            waiting = self._waiters.get(arn)
            if waiting is not None:
                waiting.discard(waiter)
                if not waiting:
                    del self._waiters[arn]


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
