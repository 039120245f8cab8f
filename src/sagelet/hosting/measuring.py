"""Every ten seconds: what was counted, and how busy the workers are, becomes endpoints' metrics.

Where no endpoint has workers there is nothing to do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sagelet.hosting.metering import Meter
from sagelet.hosting.vitals import VitalSigns, memory_of_machine
from sagelet.journal.endpoint_metrics import LONG_MS, SHORT_MS, EndpointMetrics
from sagelet.journal.series import Sample

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant that serves: its counters, and its workers' processes."""

    endpoint: str
    variant: str
    meter: Meter
    pids: Sequence[int]


class Measuring:
    """Measures from `start` to `close`, on the daemon's event loop."""

    def __init__(
        self,
        metrics: EndpointMetrics,
        vitals: VitalSigns,
        measured: Callable[[], Iterable[Measured]],
    ) -> None:
        """Measure what `measured` names."""
        self._metrics = metrics
        self._vitals = vitals
        self._measured = measured
        self._memory_bytes = memory_of_machine()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._metrics.gather = self.gather
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Measure a last time, and write down all that is not yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.gather()
        await asyncio.to_thread(self._write, None)

    def gather(self) -> None:
        """Pass on what was counted until now, for somebody who asks."""
        for each in self._measured():
            each.meter.fold()

    async def look(self, at_ms: int) -> None:
        """Measure what went on until a time."""
        looked_at = list(self._measured())
        for each in looked_at:
            each.meter.fold(at_ms)
            self._look_at(each, at_ms)
        self._vitals.forget_others(pid for each in looked_at for pid in each.pids)
        if self._metrics.all():
            await asyncio.to_thread(self._write, at_ms - at_ms % LONG_MS)

    def _look_at(self, measured: Measured, at_ms: int) -> None:
        vitals = [found for pid in measured.pids if (found := self._vitals.of(pid)) is not None]
        percents = [each.cpu_percent for each in vitals if each.cpu_percent is not None]
        values = {}
        if percents:
            values["CPUUtilization"] = Sample.of(at_ms, sum(percents))
        if vitals:
            memory = sum(each.memory_bytes for each in vitals)
            values["MemoryUtilization"] = Sample.of(at_ms, 100 * memory / self._memory_bytes)
        if values:
            self._metrics.of(measured.endpoint, measured.variant).add(at_ms, values)

    async def _run(self) -> None:
        while True:
            now_ms = time.time() * 1000
            next_ms = now_ms - now_ms % SHORT_MS + SHORT_MS
            await asyncio.sleep((next_ms - now_ms) / 1000)
            try:
                await self.look(int(next_ms) - 1)
            except Exception:
                log.exception("measuring")  # a defect of ours; the next look is another

    def _write(self, before_ms: int | None) -> None:
        """Write down the minutes that began before a time; all, where none is said."""
        for series in self._metrics.all().values():
            series.end_minutes(before_ms)
            series.write()
