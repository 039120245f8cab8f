"""The page and its charts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from benchmarks import page
from benchmarks.aims import SWAPPED
from benchmarks.charts import Bar, Panel, chart
from benchmarks.edits import EditFigures
from benchmarks.packing import PackingTimes
from benchmarks.results import Results
from benchmarks.rounds import Figures
from benchmarks.training import Race
from tests.benchmark_figures import a_sample, an_edit, edited, some_results

SVG = "{http://www.w3.org/2000/svg}"

PACKED = PackingTimes(9.0, 36.0, 0.25, 920_000_000, 930_000_000)


def results() -> Results:
    found = some_results(a_sample(3000), a_sample(9000), {"FastAPI": a_sample(2000)})
    found.edits = [
        edited(SWAPPED, an_edit()),
        EditFigures("Other <one>", problem="no\nJava | here"),
    ]
    return found


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def widths(svg: str) -> list[float]:
    bars = [bar for bar in ET.fromstring(svg).iter(f"{SVG}rect") if bar.get("class") != "page"]
    return [float(bar.get("width", "")) for bar in bars]


def test_a_chart_is_well_formed_and_keeps_its_text_as_text() -> None:
    svg = chart("A & B", [Panel("c < 8", [Bar('"x" & <y>', 2.0, "2 req/s")])])

    assert texts(svg) == ["A & B", "c < 8", '"x" & <y>', "2 req/s"]


def test_bars_are_as_long_as_their_values() -> None:
    long, short = widths(chart("A", [Panel("", [Bar("a", 4.0, ""), Bar("b", 1.0, "")])]))

    assert long == 4 * short


def test_on_a_logarithmic_scale_the_shortest_bar_still_shows() -> None:
    bars = [Bar("a", 10_000.0, ""), Bar("b", 100.0, ""), Bar("c", 1.0, "")]

    long, middle, short = widths(chart("A", [Panel("", bars, is_log=True)]))

    assert long > middle > short > 10


def test_a_chart_has_colours_for_dark_pages() -> None:
    assert "prefers-color-scheme: dark" in chart("A", [])


def test_the_throughput_chart_orders_servers_and_leaves_the_limits_out() -> None:
    labels = texts(page.throughput_chart(results()))

    assert labels[2:8:2] == ["Sagelet, coalesced", "Sagelet, one call a request", "FastAPI"]
    assert "bare echo" not in labels


def test_the_edits_chart_tells_failures_and_leaves_out_what_did_not_run() -> None:
    assert texts(page.edits_chart(results().edits))[2:] == [SWAPPED, "10 ms, 0 failed"]


def test_a_server_that_did_not_run_is_named_with_its_reason_and_costs_no_other() -> None:
    found = results()
    figures = {**found.figures, "TorchServe": Figures(problem="DidNotRun: no Java\nat all")}
    found.figures = figures

    text = page.page(found)

    assert "Did not run: TorchServe: DidNotRun: no Java at all" in text
    assert "| FastAPI | 1.50 s | 2,000 · 1.00 · 2.0 |" in text


def test_a_reason_cannot_break_its_table() -> None:
    assert "| Other <one> | did not run: no Java / here |  |  |  |" in page.page(results())


def test_a_reason_names_no_folder_of_this_machine() -> None:
    found = results()
    found.problems.append("starts: OSError: no space for '/tmp/sagelet-x/home/state.db' left")

    assert "Did not run: starts: OSError: no space for 'state.db' left" in page.page(found)


def test_page_and_charts_are_written_together(tmp_path: Path) -> None:
    text = page.write(results(), tmp_path)

    assert (tmp_path / "benchmarks.md").read_text(encoding="utf-8") == text
    for name in ("throughput", "edits"):
        assert f"(benchmarks/{name}.svg)" in text
        assert (tmp_path / "benchmarks" / f"{name}.svg").exists()


def test_training_stands_beside_what_it_was_raced_against() -> None:
    measured = results()
    assert measured.training is not None
    training = replace(measured.training, first_line=Race(0.1, 3.0, 0.033))
    found = page.races(replace(measured, training=training, packing=PACKED))
    assert "| an accepted job to the first line; the toolkit to it | 0.10 s | 3.00 s |" in found
    assert "| packing 1 GB of float32 weights; tarfile's `w:gz` | 9.00 s | 36.00 s |" in found
    assert "two hosts" not in found
