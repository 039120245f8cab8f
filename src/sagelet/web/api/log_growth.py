"""Tells which log streams grow, of those that somebody looks at, by the sizes of their files."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sagelet.errors import SageletError
from sagelet.journal.streams import LogStreams

log = logging.getLogger(__name__)

EVERY_S = 0.25
LINGER_S = 60.0
# Where looking takes long (thousands of streams), it is done less often: a twentieth of the time.
_SHARE = 20

Place: TypeAlias = tuple[str, str]
Sizes: TypeAlias = dict[str, int]


@dataclass(slots=True)
class _Watched:
    """A group and prefix: how many look, since when nobody does, and the sizes seen last."""

    lookers: int = 0
    left_at: float = 0.0
    sizes: Sizes | None = None


class LogGrowth:
    """Looks at files only while somebody listens, and for `LINGER_S` after.

    So a client that comes back in that time is told what has grown meanwhile. To others is told
    once, with the prefix in place of a stream, that any stream may have.
    """

    def __init__(
        self,
        logs: LogStreams,
        tell: Callable[[str, str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch nothing yet; `tell` gets the group and the stream, on the event loop."""
        self._logs = logs
        self._tell = tell
        self._now = now
        self._watched: dict[Place, _Watched] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, group: str, prefix: str) -> None:
        """Begin to look at a group's streams with a prefix."""
        self._watched.setdefault((group, prefix), _Watched()).lookers += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def leave(self, group: str, prefix: str) -> None:
        """Look for one client less."""
        watched = self._watched.get((group, prefix))
        if watched is not None:
            watched.lookers -= 1
            watched.left_at = self._now()

    def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        while self._watched:
            begun = self._now()
            seen = await asyncio.to_thread(self._sizes, tuple(self._watched))
            self._compare(seen)
            await asyncio.sleep(max(EVERY_S, (self._now() - begun) * _SHARE))
        self._task = None

    def _sizes(self, places: tuple[Place, ...]) -> dict[Place, Sizes]:
        return {place: _sizes_of(self._logs, *place) for place in places}

    def _compare(self, seen: dict[Place, Sizes]) -> None:
        grown: dict[Place, None] = {}
        for (group, prefix), sizes in seen.items():
            watched = self._watched[group, prefix]
            before, watched.sizes = watched.sizes, sizes
            if before is None:
                # What grew between somebody's reading and now is in nobody's sizes.
                grown[group, prefix] = None
            else:
                grown.update(((group, s), None) for s in sizes if sizes[s] != before.get(s, 0))
            if watched.lookers <= 0 and self._now() - watched.left_at > LINGER_S:
                del self._watched[group, prefix]
        for group, stream in grown:
            self._tell(group, stream)


def _sizes_of(logs: LogStreams, group: str, prefix: str) -> Sizes:
    try:
        return {name: logs.size_bytes(group, name) for name in logs.streams(group, prefix)}
    except (SageletError, OSError):
        # A group that is not there yet, or no name of one: it has not grown.
        return {}
