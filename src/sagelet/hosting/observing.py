"""Who watches the requests of a host's pools: traces, the history, and metrics."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.hosting.metering import Meter
from sagelet.hosting.recording import Recorder
from sagelet.hosting.traces import Traces
from sagelet.journal.endpoint_metrics import EndpointMetrics


@dataclass(frozen=True, slots=True)
class Observing:
    """What every pool is given."""

    traces: Traces
    recorder: Recorder
    metrics: EndpointMetrics

    def meter(self, endpoint: str, variant: str) -> Meter:
        """Return new counters for a variant; over time, they add to those before them."""
        return Meter(self.metrics.of(endpoint, variant), due=0.0)
