"""Charts as tables, which pages render and a script draws."""

import json
import math
from datetime import UTC, datetime, timedelta

from sagelet.web.charts import LINES_AT_MOST, Line, Marker, chart_of, number
from sagelet.web.job_metrics import period_of

BEGUN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_line(label: str, *values: float, from_s: int = 0) -> Line:
    times = [BEGUN + timedelta(seconds=from_s + second) for second in range(len(values))]
    return Line(label, list(zip(times, values, strict=True)))


def test_lines_are_put_side_by_side_by_their_times() -> None:
    chart = chart_of("loss", [a_line("a", 1, 2), a_line("b", 3, 4, from_s=1)], key="loss")
    assert chart.labels == ("a", "b")
    assert [row.values for row in chart.rows] == [(1, None), (2, 3), (None, 4)]
    assert chart.rows[0].cells == ("1", "")


def test_a_sentence_sums_the_chart_up() -> None:
    chart = chart_of("latency", [a_line("", 12.5, 3, 7)], key="x", unit="ms")
    assert chart.summary == "3 points, last 7 ms, lowest 3 ms, highest 12.5 ms."
    assert chart.labels == ("latency",)


def test_a_chart_without_values_says_so() -> None:
    assert chart_of("loss", [a_line("a")], key="x").summary == "No values yet."


def test_what_is_no_number_is_a_word_and_does_not_count() -> None:
    chart = chart_of("loss", [a_line("a", 1.0, math.nan, math.inf)], key="x")
    assert [row.cells for row in chart.rows] == [("1",), ("NaN",), ("infinite",)]
    assert chart.summary == "a: 3 points, last infinite, lowest 1, highest 1."
    assert number(-math.inf) == "-infinite"


def test_of_very_many_lines_some_are_shown() -> None:
    chart = chart_of("loss", [a_line(f"algo-{n}", 1.0) for n in range(64)], key="x")
    assert len(chart.labels) == LINES_AT_MOST
    assert chart.summary.endswith("; and 60 more.")


def test_rows_of_several_days_can_be_told_apart() -> None:
    assert not chart_of("loss", [a_line("a", 1, 2)], key="x").has_days
    next_day = Line("a", [(BEGUN, 1.0), (BEGUN + timedelta(days=1), 2.0)])
    assert chart_of("loss", [next_day], key="x").has_days


def test_a_page_bears_the_points_of_all_lines() -> None:
    hours = timedelta(hours=3)
    assert period_of(hours, lines=1) == 60
    assert period_of(hours, lines=640) == 900
    assert period_of(timedelta(days=28), lines=640) == 86_400
    assert period_of(timedelta(seconds=30), lines=640) == 1


def test_markers_are_json() -> None:
    chart = chart_of("x", [a_line("a", 1)], key="x", markers=[Marker(BEGUN, '</script>"')])
    assert json.loads(chart.marked) == [{"at": BEGUN.timestamp(), "label": '</script>"'}]
