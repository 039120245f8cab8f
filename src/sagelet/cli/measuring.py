"""The same request again and again: how long it takes, and where the server's time goes.

On this machine the signed request is sent over plain connections, so that boto3's own time (more
than most handlers need) is not measured with it; elsewhere boto3 sends it.
"""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any, Protocol

from sagelet.cli.calls import Call, ask, server_timing
from sagelet.cli.context import App
from sagelet.cli.payloads import Payload
from sagelet.cli.signed import Connection, Signer
from sagelet.errors import RemoteError

_QUANTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
_TIMEOUT_S = 80.0
_FIRST_ERROR = 400
_SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: what the caller waited, the server's phases, and what went wrong, if so."""

    ms: float
    phases_ms: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the samples come to. Latencies are of the requests that were answered."""

    requests: int
    failures: int
    seconds: float
    latency_ms: Mapping[str, float]
    phases_ms: Mapping[str, float]
    problem: str = ""

    @classmethod
    def of(cls, samples: Sequence[Sample], seconds: float) -> Figures:
        """Work them out; `seconds` is how long all took together."""
        good = [sample for sample in samples if not sample.problem]
        waited = sorted(sample.ms for sample in good)
        latency = {name: quantile(waited, share) for name, share in _QUANTILES.items()}
        names = dict.fromkeys(name for sample in good for name in sample.phases_ms)
        phases = {
            name: median(s.phases_ms[name] for s in good if name in s.phases_ms) for name in names
        }
        return cls(
            requests=len(samples),
            failures=len(samples) - len(good),
            seconds=seconds,
            latency_ms=latency | {"max": waited[-1]} if waited else {},
            phases_ms=phases,
            problem=next((sample.problem for sample in samples if sample.problem), ""),
        )

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return (self.requests - self.failures) / self.seconds if self.seconds else 0.0

    def document(self) -> dict[str, Any]:
        """Return the figures as data."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "seconds": round(self.seconds, 3),
            "requests_per_second": round(self.per_second, 1),
            "latency_ms": {name: round(ms, 3) for name, ms in self.latency_ms.items()},
            "server_ms": {name: round(ms, 3) for name, ms in self.phases_ms.items()},
        }

    def lines(self, concurrency: int) -> list[str]:
        """Return the figures for a person."""
        at_once = "one at a time" if concurrency == 1 else f"{concurrency} at a time"
        lines = [
            f"{self.requests} requests, {at_once}, in {self.seconds:.2f} s: "
            f"{self.per_second:.0f} a second, {self.failures} failed"
        ]
        for title, figures in (("latency", self.latency_ms), ("server ", self.phases_ms)):
            if figures:
                said = "  ".join(f"{name} {ms:.2f}" for name, ms in figures.items())
                lines.append(f"{title}  {said}  ms" + (" (medians)" if title != "latency" else ""))
        if self.problem:
            lines.append(f"failed   {self.problem}")
        return lines


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that this share of all does not exceed; 0 where there is none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Sender(Protocol):
    """Sends the request once more, in the thread that made it."""

    def __call__(self) -> Sample:
        """Send, and wait for the answer."""
        ...


def repeat(make: Callable[[], Sender], count: int, concurrency: int) -> Figures:
    """Send a request `count` times in all, from so many threads at once.

    Ctrl-C ends it early: what was measured so far counts.
    """
    samples: list[Sample] = []
    turns = itertools.count()
    stopped = threading.Event()

    def work() -> None:
        send = make()
        while next(turns) < count and not stopped.is_set():
            samples.append(send())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(concurrency, count))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        stopped.set()
    return Figures.of(list(samples), time.perf_counter() - begun)


def sender_for(app: App, call: Call, payload: Payload) -> Callable[[], Sender]:
    """Return what makes a thread's sender."""
    client = app.runtime(attempts=1)
    if app.deploy_env().is_local():
        signer = Signer(app, client, call.parameters(payload))
        return lambda: partial(_plainly, Connection(signer, app.timeout_s or _TIMEOUT_S))
    return lambda: partial(_by_boto3, app, call, payload, client)


def _by_boto3(app: App, call: Call, payload: Payload, client: Any) -> Sample:  # noqa: ANN401  boto3's
    begun = time.perf_counter()
    try:
        reply = ask(app, call, payload, client=client)
    except RemoteError as error:
        return Sample(_since(begun), problem=str(error))
    return Sample(reply.ms, reply.phases_ms)


def _plainly(connection: Connection) -> Sample:
    begun = time.perf_counter()
    try:
        status, headers, body = connection.send()
    except (OSError, http.client.HTTPException) as error:
        return Sample(_since(begun), problem=f"{type(error).__name__}: {error}")
    ms = _since(begun)
    if status >= _FIRST_ERROR:
        return Sample(ms, problem=f"{status}: {_beginning(body)}")
    return Sample(ms, server_timing(headers.get("server-timing", "")))


def _beginning(body: bytes) -> str:
    return " ".join(body[:_SHOWN_BYTES].decode("utf-8", "replace").split())


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000
