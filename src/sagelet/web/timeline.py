"""The course of a job: its statuses, each with what was said and how long it lasted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ENDED = frozenset({"Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded"})


@dataclass(frozen=True, slots=True)
class Phase:
    """One status. `share` is of the whole time, in percent; `is_now` tells the present one."""

    status: str
    message: str
    started_at: datetime
    took_s: float
    share: float
    is_now: bool

    @property
    def is_end(self) -> bool:
        """Whether nothing follows it."""
        return self.status in ENDED

    @property
    def took(self) -> str:
        """How long it lasted; nothing of an end, which does not."""
        return "" if self.is_end else duration(self.took_s)


def phases(transitions: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Phase]:
    """Return the phases of SecondaryStatusTransitions; the last one lasts until now."""
    spans = [
        (each, max(0.0, (each.get("EndTime", now) - each["StartTime"]).total_seconds()))
        for each in transitions
    ]
    whole = sum(took_s for each, took_s in spans if each["Status"] not in ENDED) or 1.0
    return [
        Phase(
            status=each["Status"],
            message=each.get("StatusMessage", ""),
            started_at=each["StartTime"],
            took_s=took_s,
            share=0.0 if each["Status"] in ENDED else 100 * took_s / whole,
            is_now="EndTime" not in each and each["Status"] not in ENDED,
        )
        for each, took_s in spans
    ]


def duration(seconds: float) -> str:
    """Return a time as it is read: 0.4 s, 12 s, 3 min 5 s, 2 h 4 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
