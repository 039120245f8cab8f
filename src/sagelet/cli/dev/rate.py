"""The status line: what an endpoint is doing, and which keys there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

_WEIGHT = 0.5


class Rate:
    """Requests a second, from a counter that is looked at now and then."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing known."""
        self._now = now
        self._last: tuple[float, int] | None = None
        self.per_second = 0.0

    def count(self, facts: Mapping[str, Any]) -> None:
        """Take the counter of an endpoint's facts."""
        requests = _requests(facts)
        at = self._now()
        if self._last is not None and at > self._last[0]:
            # A counter that went back is that of fresh workers.
            came = max(0, requests - self._last[1])
            rate = came / (at - self._last[0])
            self.per_second += _WEIGHT * (rate - self.per_second)
        self._last = (at, requests)


def status_line(facts: Mapping[str, Any], rate: Rate, *, can_test: bool, shows_log: bool) -> str:
    """Return the line: generation, workers, load, latency, errors, keys."""
    variants = facts["variants"]
    workers = sum(len(variant["workers"]) for variant in variants)
    errors = sum(variant["errors"] for variant in variants)
    waiting = sum(variant["waiting"] for variant in variants)
    busiest: Mapping[str, Any] = max(variants, key=lambda each: each["requests"], default={})
    parts = [
        str(facts["endpoint"]),
        f"generation {busiest.get('generation', 0)}",
        "parked" if busiest.get("is_parked") else f"{workers} worker{'' if workers == 1 else 's'}",
        f"{rate.per_second:.0f} req/s",
    ]
    p50 = busiest.get("latency_ms", {}).get("p50")
    parts += [f"p50 {p50:.1f} ms"] if p50 is not None else []
    parts += [f"{waiting} waiting"] if waiting else []
    parts += [f"{errors} failed"] if errors else []
    keys = ["[b]rowser", "[r]eload", *(["[t]est"] if can_test else [])]
    keys += ["[l]og off" if shows_log else "[l]og on", "[q]uit"]
    return " · ".join(parts) + "   " + " ".join(keys)


def _requests(facts: Mapping[str, Any]) -> int:
    return sum(int(variant["requests"]) for variant in facts["variants"])
