"""What bounds every server here: the handlers alone, and HTTP that does nothing else."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.material import BODY, CONTENT, Material, handlers
from benchmarks.servers import Running, first_answer, free_port, process

ECHO, ROUTED_ECHO = "bare echo", "echo through a router"
BATCH = 32
SCRIPT = Path(__file__).parent / "echo.py"
_SECONDS = 0.5
_ROUNDS = 5


@dataclass(frozen=True)
class HandlerTimes:
    """CPU time of the handlers in this process, a request, one at a time and in batches of 32."""

    one_us: float
    batched_us: float


def handler_times(material: Material) -> HandlerTimes:
    """Time the handlers with torch on one thread."""
    torch.set_num_threads(1)
    serve = handlers(material.folder)
    model = serve.model_fn(material.folder / "model")
    batched = handlers(material.folder, "coalesced").predict_batch_fn
    text = BODY.decode()

    def one() -> None:
        serve.output_fn(serve.predict_fn(serve.input_fn(text, ""), model), "")

    def many() -> None:
        for answer in batched([serve.input_fn(text, "") for _ in range(BATCH)], model):
            serve.output_fn(answer, "")

    rounds = [(_cpu_us(one), _cpu_us(many) / BATCH) for _ in range(_ROUNDS)]
    return HandlerTimes(
        one_us=statistics.median(first for first, _ in rounds),
        batched_us=statistics.median(second for _, second in rounds),
    )


@dataclass(frozen=True)
class Echo:
    """HTTP on uvloop with httptools and no handlers; `routed` sends the body through a worker."""

    routed: bool = False
    warm_s: float = 1.0

    @property
    def name(self) -> str:
        """What the tables call it."""
        return ROUTED_ECHO if self.routed else ECHO

    def version(self) -> str:
        """Return nothing: it is part of this."""
        return ""

    @contextmanager
    def run(self, material: Material) -> Iterator[Running]:
        """Start it."""
        port = free_port()
        log = material.folder.parent / "echo.log"
        argv = [sys.executable, str(SCRIPT), str(port), *(["--routed"] if self.routed else [])]
        begun = time.perf_counter()
        with process(argv, cwd=material.folder, variables={}, log=log) as started:
            url = f"http://127.0.0.1:{port}/invocations"
            first_answer(url, lambda: CONTENT, has_ended=lambda: bool(started.poll()), log=log)
            yield Running(url, started.pid, lambda: CONTENT, time.perf_counter() - begun)


def _cpu_us(call: Callable[[], None]) -> float:
    call()
    calls = 0
    until = time.perf_counter() + _SECONDS
    begun = time.process_time()
    while time.perf_counter() < until:
        call()
        calls += 1
    return 1e6 * (time.process_time() - begun) / calls
