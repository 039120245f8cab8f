"""What a person sees of a job that runs: on a terminal, and where nobody looks."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from sagelet.cli.jobs.log_lines import Line
from sagelet.cli.jobs.looks import Look
from sagelet.cli.output import Output
from sagelet.cli.training_view import LiveView, TrainingView, fitting, status_line, view_for
from sagelet.journal.overwritten import Kind


def a_look(
    *lines: Line,
    status: str = "Training",
    hosts: int = 1,
    latest: Mapping[str, float] | None = None,
    has_ended: bool = False,
) -> Look:
    begun = datetime.now(UTC) - timedelta(seconds=75.5)
    transitions = [
        {"Status": "Starting", "StartTime": begun, "StatusMessage": "Starting the training job"},
        {"Status": status, "StartTime": begun},
    ]
    description: dict[str, Any] = {
        "SecondaryStatus": status,
        "SecondaryStatusTransitions": transitions,
        "CreationTime": begun,
        "ResourceConfig": {"InstanceCount": hosts},
    }
    return Look(description, lines, latest or {}, has_ended)


def whole(text: str, host: str = "algo-1") -> Line:
    return Line(host, 1, text)


def state(text: str, place: str = "algo-1/") -> Line:
    return Line(place.partition("/")[0], 1, text, Kind.STATE, place)


class Screen:
    """A terminal, as far as the view uses one: lines, and moves up with erasing below."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._written = io.StringIO()
        monkeypatch.setattr(sys, "stdout", self._written)
        monkeypatch.setattr(sys, "stderr", self._written)

    def rows(self) -> list[str]:
        """What stands there after everything was written."""
        rows = [""]
        for sign in re.findall(r"\x1b\[\d*[A-Z]|.|\n", self._written.getvalue()):
            match sign:
                case "\n":
                    rows.append("")
                case "\r":
                    continue  # every move is followed by erasing
                case "\x1b[J":
                    rows[-1] = ""
                case _ if sign.startswith("\x1b["):
                    del rows[len(rows) - int(sign[2:-1]) :]
                case _:
                    rows[-1] += sign
        return rows


def test_where_nobody_looks_there_is_a_line_a_phase(capsys: pytest.CaptureFixture[str]) -> None:
    view = view_for(Output())
    assert type(view) is TrainingView
    view.show(a_look(whole("  one"), whole("two", "algo-2"), status="Downloading"))
    view.show(a_look(status="Downloading"))
    view.close()
    out, err = capsys.readouterr()
    assert out == "algo-1 |   one\nalgo-2 | two\n"
    assert [line[9:] for line in err.splitlines()] == [
        "Starting - Starting the training job",
        "Downloading",
    ]


def test_with_json_the_log_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.json = True
    TrainingView(output).show(a_look(whole("one")))
    out, err = capsys.readouterr()
    assert out == ""
    assert "algo-1 | one\n" in err


def test_states_of_a_progress_bar_are_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Line("algo-1", 1, "100%", Kind.END)
    TrainingView(Output()).show(a_look(state("1%"), state("50%"), ended))
    assert capsys.readouterr().out == "algo-1 | 100%\n"


def test_the_live_part_stands_below_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, view = Screen(monkeypatch), LiveView(Output())
    view.show(a_look(whole("one"), latest={"loss": 0.123456}))
    view.show(a_look(whole("two"), state("45%|##"), hosts=2, latest={"loss": 0.1}))
    assert screen.rows() == [
        "algo-1 | one",
        "algo-1 | two",
        "algo-1 | 45%|##",
        "Training 1 min 15 s · 2 hosts · loss 0.1",
    ]


def test_a_bar_becomes_a_line_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, view = Screen(monkeypatch), LiveView(Output())
    view.show(a_look(state("45%|##"), state("[rank 1] 7%", "algo-1/[rank 1] ")))
    view.show(a_look(Line("algo-1", 1, "[rank 1] 9%", Kind.END)))
    rows = screen.rows()
    assert rows[:2] == ["algo-1 | [rank 1] 9%", "algo-1 | 45%|##"]
    assert rows[2].startswith("Training ")


def test_at_the_end_only_the_log_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, view = Screen(monkeypatch), LiveView(Output())
    view.show(a_look(whole("one"), state("99%")))
    view.show(a_look(whole("two"), status="Completed", has_ended=True))
    view.close()
    assert screen.rows() == ["algo-1 | one", "algo-1 | two", ""]


def test_what_is_said_stands_above_the_live_part(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, view = Screen(monkeypatch), LiveView(Output())
    view.show(a_look(state("99%")))
    view.say("stopping")
    assert [row[:12] for row in screen.rows()] == ["stopping", "algo-1 | 99%", "Training 1 m"]


def test_a_script_cannot_drive_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, view = Screen(monkeypatch), LiveView(Output())
    view.show(a_look(whole("\x1b[2Jgone"), state("\x1b[9A\x07bar"), latest={"\x1b[Hl": 1.0}))
    assert screen.rows()[:2] == ["algo-1 | gone", "algo-1 | bar"]


def test_the_live_part_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((20, 5)))
    screen = Screen(monkeypatch)
    LiveView(Output()).show(a_look(state("#" * 100)))
    assert [len(row) for row in screen.rows()] == [19, 19]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("0123456789", "01234567"),
        ("水水水水水", "水水水水"),
        (click.style("0123456789", fg="red"), "01234567"),
        ("e\u0301" * 9, "e\u0301" * 8),
    ],
)
def test_a_line_is_cut_to_a_width(text: str, shown: str) -> None:
    assert fitting(text, 8) == shown


def test_hours_are_told_as_hours() -> None:
    look = a_look()
    description = {**look.description, "CreationTime": datetime.now(UTC) - timedelta(hours=26)}
    assert status_line(Look(description, (), {}, False)) == "Training 26 h 00 min"
