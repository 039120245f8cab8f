"""What a person sees of a training job that runs.

    algo-1 | epoch 1 loss=0.25                               the log, on standard output
    algo-1 | 45%|████▌     |                                 ┐ the live part, at the bottom of a
    Training 12 s · 2 hosts · loss 0.25 · accuracy 0.9       ┘ terminal, on standard error

Where nobody looks at a terminal there is no live part, and a line for each phase instead.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from sagelet.cli.jobs.log_lines import Line
from sagelet.cli.jobs.looks import Look
from sagelet.cli.jobs.points import hosts_of
from sagelet.cli.jobs.terminal_plot import number
from sagelet.cli.output import Output, safe
from sagelet.journal.overwritten import Kind

_BARS_AT_MOST = 8
_METRICS_AT_MOST = 6
_HOST_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")


class TrainingView:
    """Shows looks at a job: its lines as they come, and a line for each phase."""

    def __init__(self, output: Output) -> None:
        """Take where words go; with --json the log goes to standard error."""
        self._output = output
        self._phases = 0

    def show(self, look: Look) -> None:
        """Show what is new."""
        self._write(look.lines)
        transitions = look.description.get("SecondaryStatusTransitions", [])
        for transition in transitions[self._phases :]:
            self._output.say(phase_line(transition))
        self._phases = len(transitions)

    def say(self, message: str) -> None:
        """Say something that is not the job's."""
        self._output.say(message)

    def close(self) -> None:
        """Leave what was shown as it is."""

    def _write(self, lines: Sequence[Line]) -> None:
        for line in lines:
            if line.kind is not Kind.STATE:
                write_line(self._output, line)


class LiveView(TrainingView):
    """Shows looks at a job on a terminal, with a live part at the bottom."""

    def __init__(self, output: Output) -> None:
        """Take where words go."""
        super().__init__(output)
        self._bars: dict[str, Line] = {}
        self._status = ""
        self._height = 0

    def show(self, look: Look) -> None:
        """Show what is new, and how it stands."""
        self._status = status_line(look)
        for line in look.lines:
            if line.kind is Kind.STATE:
                self._bars[line.place] = line
            elif line.kind is Kind.END:
                self._drop_bar(line)
        self._clear()
        self._write(look.lines)
        if look.has_ended:
            self._bars.clear()
        else:
            self._draw()

    def say(self, message: str) -> None:
        """Say something above the live part."""
        self._clear()
        super().say(message)
        self._draw()

    def close(self) -> None:
        """Take the live part away."""
        self._clear()

    def _drop_bar(self, ended: Line) -> None:
        """Forget the state of a line that has ended."""
        places = [place for place in self._bars if f"{ended.host}/{ended.text}".startswith(place)]
        if places:
            del self._bars[max(places, key=len)]

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        bars = list(self._bars.values())[-_BARS_AT_MOST:]
        lines = [f"{bar.host} | {safe(bar.text)}" for bar in bars] + [self._status]
        sys.stderr.write("\n".join(fitting(line, width) for line in lines))
        sys.stderr.flush()
        self._height = len(lines)

    def _clear(self) -> None:
        if self._height:
            up = f"\x1b[{self._height - 1}A" if self._height > 1 else ""
            sys.stderr.write(f"\r{up}\x1b[J")
            sys.stderr.flush()
            self._height = 0


def view_for(output: Output) -> TrainingView:
    """Return the view that fits where the output goes."""
    return LiveView(output) if output.is_live else TrainingView(output)


def write_line(output: Output, line: Line) -> None:
    """Write a line of the log with its host before it."""
    text = f"{_prefix(output, line.host)}{safe(line.text)}"
    output.say(text) if output.json else output.text(text)


def _prefix(output: Output, host: str) -> str:
    digits = "".join(sign for sign in host if sign.isdigit()) or "1"
    colour = _HOST_COLOURS[(int(digits) - 1) % len(_HOST_COLOURS)]
    return output.styled(f"{host} | ", colour)


def phase_line(transition: Mapping[str, Any]) -> str:
    """Return what a transition says, as the SageMaker SDK words it."""
    moment = transition["StartTime"].astimezone().strftime("%H:%M:%S")
    message = transition.get("StatusMessage", "")
    return f"{moment} {transition['Status']}" + (f" - {message}" if message else "")


def status_line(look: Look) -> str:
    """Return one line on how a job stands."""
    described = look.description
    hosts = len(hosts_of(described))
    seconds = (datetime.now(UTC) - described["CreationTime"]).total_seconds()
    parts = [f"{described['SecondaryStatus']} {_duration(max(0.0, seconds))}"]
    if hosts > 1:
        parts.append(f"{hosts} hosts")
    latest = list(look.latest.items())[:_METRICS_AT_MOST]
    parts += [f"{safe(name)} {number(value)}" for name, value in latest]
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def fitting(text: str, width: int) -> str:
    """Return as much of a line as fits into a terminal's width, without colours."""
    kept, taken = [], 0
    for sign in click.unstyle(text).expandtabs():
        columns = _columns(sign)
        if taken + columns > width:
            break
        kept.append(sign)
        taken += columns
    return "".join(kept)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
