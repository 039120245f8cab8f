"""Times as a person says them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE = re.compile(r"(\d+)([smhdw])")


def ago(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment).total_seconds()))
    for unit, size in reversed(_UNITS.items()):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return "now"


class Duration(click.ParamType[timedelta]):
    """How long something takes: 90s, 10m, 2h."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the time, which is not none at all."""
        if isinstance(value, timedelta):
            return value
        match = _AGE.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{str(value)!r} is no time, such as 30s, 5m or 2h", param, ctx)
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


class Age(click.ParamType[timedelta]):
    """An age such as 90s, 10m, 2h, 7d or 1w; or a moment in ISO 8601."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the age."""
        if isinstance(value, timedelta):
            return value
        text = str(value)
        if match := _AGE.fullmatch(text):
            return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is no age (10m, 2h, 7d) and no moment (2026-01-31T12:00)", param, ctx
            )
        return datetime.now(UTC) - (moment if moment.tzinfo else moment.astimezone())
