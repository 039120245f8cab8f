"""What operations work with, and who calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sagelet.artifacts.files import Artifacts
from sagelet.domain.account import Account
from sagelet.domain.clock import Clock
from sagelet.domain.seams import EndpointHost, JobRunner
from sagelet.journal.metric_store import MetricStore
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that operations use."""

    store: Store
    logs: LogStreams
    metrics: MetricStore
    runner: JobRunner
    host: EndpointHost
    artifacts: Artifacts
    account: Account
    clock: Clock


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. A waiter polls, and would rather be held than told that nothing has changed."""

    access_key_id: str
    is_waiter: bool = False


Operation: TypeAlias = Callable[[Context, Document], Document]
"""An operation that may block: it is run in a thread."""
