"""docs/benchmarks.md and its charts, from a run's findings."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks import aims
from benchmarks.charts import Bar, Panel, chart
from benchmarks.edits import EditFigures
from benchmarks.limits import ECHO, ROUTED_ECHO
from benchmarks.results import COALESCED, OURS, Results
from benchmarks.rounds import CONNECTIONS, Figures
from benchmarks.samples import Sample
from benchmarks.training import Race
from sagelet import __version__

_FOLDER = re.compile(r"(?:/[\w.-]+)+/([\w.-]+)")
_OWN = (OURS, COALESCED)
_LIMITS = (ECHO, ROUTED_ECHO)
_TEMPLATE = """\
# Benchmarks

Made by `make bench`: sagelet {sagelet}, Python {python}, torch {torch}, {cores} cores
({machine}), {day}. Absolute times are this machine's; ratios of one run carry over.

![Requests a second, by server and connections](benchmarks/throughput.svg)

![Edit to changed answer](benchmarks/edits.svg)

## Aims

{aims}

## Serving

Requests a second · p50 ms · p99 ms:

{serving}

Each server runs alone, with two workers and torch on one thread unless said, in rounds in turn.
wrk posts one JSON text of eleven words over and over from 1, 8 and 64 connections, on the same
cores. A cell is the median of the windows in which other programs used the machine least;
"foreign" is how many cores those used. The first 200 is counted from the server's command, with
nothing running. CPU is that of all of a server's processes, a request. Ours verifies each request's
signature; the others take any. TorchServe runs the SageMaker toolkit, as AWS's container does; as
shipped, each of its workers computes on as many threads as there are cores.

| server | versions |
|---|---|
{versions}

## Edits under load

Four clients ask, wait 5 ms and ask again, without a break. An edit is counted from the save of a
changed handler to the first answer that shows it. The silence is the longest time in which no
client got an answer.

{edits}

## What bounds it

{bounds}

{profile}

## Training

{races}

Each pair ran in turn, on a daemon that is warm; medians. The toolkit is {toolkit}, run as AWS's
container runs it.

## Starts, memory

{lines}

The model is a TextCNN (Embedding 5000x100, three Conv1d of 50, Linear to 4); its weights load in
{load}.{problems}
"""


def write(results: Results, docs: Path) -> str:
    """Write the page and its charts, and return the page."""
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    text = page(results)
    (folder / "throughput.svg").write_text(throughput_chart(results), encoding="utf-8")
    (folder / "edits.svg").write_text(edits_chart(results.edits), encoding="utf-8")
    (docs / "benchmarks.md").write_text(text, encoding="utf-8")
    return text


def page(results: Results) -> str:
    """Return the page."""
    problems = "".join(f"\n\nDid not run: {problem}" for problem in _problems(results))
    return _TEMPLATE.format(
        sagelet=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        cores=results.cores,
        machine=f"{platform.system()} {platform.machine()}",
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        aims=_aims_table(results),
        serving=table(_SERVING_HEADS, _serving_rows(results)),
        versions="\n".join(f"| {name} | {found.version} |" for name, found in _named(results)),
        edits=table(_EDIT_HEADS, [_edit_row(figures) for figures in results.edits]),
        bounds=_bounds(results),
        profile=results.profile or "No profile was taken: every aim under load was reached.",
        races=races(results),
        toolkit=results.training.versions if results.training else "missing",
        lines=table(("what", "measured"), _lines(results)),
        load="an unknown time" if results.load_s is None else f"{1000 * results.load_s:.0f} ms",
        problems=problems,
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def throughput_chart(results: Results) -> str:
    """Return the chart of requests a second."""
    panels = []
    for connections in CONNECTIONS:
        bars = [
            Bar(name, cell.per_second, f"{cell.per_second:,.0f}", _kind(name))
            for name in results.figures
            if name not in _LIMITS and (cell := results.cell(name, connections))
        ]
        ordered = sorted(bars, key=lambda bar: -bar.value)
        plural = "s" if connections > 1 else ""
        panels.append(Panel(f"{connections} connection{plural}, requests a second", ordered))
    return chart("Requests a second, the same model behind each server", panels)


def edits_chart(edits: Sequence[EditFigures]) -> str:
    """Return the chart of edits."""
    bars = [
        Bar(
            figures.name,
            1000 * figures.p50_s,
            f"{_ms(figures.p50_s)}, {figures.failed:,} failed",
            _kind(figures.name),
        )
        for figures in edits
        if figures.edits
    ]
    heading = "saved to the first changed answer under load, p50, logarithmic; failed requests"
    ordered = sorted(bars, key=lambda bar: bar.value)
    return chart("Edit to changed answer", [Panel(heading, ordered, is_log=True)])


_SERVING_HEADS = (
    "server",
    "first 200",
    *(f"c={connections}" for connections in CONNECTIONS),
    "CPU at c=64",
    "RSS / PSS MB",
    "foreign",
    "failed",
)
_EDIT_HEADS = ("server", "save to changed answer, p50", "longest", "silence", "failed requests")


def _serving_rows(results: Results) -> list[list[str]]:
    return [_serving_row(name, found) for name, found in _named(results)]


def _named(results: Results) -> list[tuple[str, Figures]]:
    return [(name, found) for name, found in results.figures.items() if found.windows]


def _serving_row(name: str, found: Figures) -> list[str]:
    cells = [found.cell(connections) for connections in CONNECTIONS]
    there = [cell for cell in cells if cell]
    last = found.memories[-1] if found.memories else None
    return [
        name,
        f"{found.start_s:.2f} s" if found.start_s else "",
        *(_cell(cell) for cell in cells),
        f"{cells[-1].cpu_us:.0f} us" if cells[-1] else "",
        f"{last.rss_mb:.0f} / {last.pss_mb:.0f}" if last else "",
        f"{max(cell.foreign_cores for cell in there):.2f}",
        str(sum(cell.failed for cell in there)),
    ]


def _cell(cell: Sample | None) -> str:
    if cell is None:
        return ""
    return f"{cell.per_second:,.0f} · {cell.p50_ms:.2f} · {cell.p99_ms:.1f}"


def _edit_row(figures: EditFigures) -> list[str]:
    if not figures.edits:
        return [figures.name, f"did not run: {_line(figures.problem)}", "", "", ""]
    failed = f"{figures.failed:,} of {figures.requests:,} in {len(figures.edits)} edits"
    return [figures.name, _ms(figures.p50_s), _ms(figures.worst_s), _ms(figures.gap_s), failed]


def _aims_table(results: Results) -> str:
    rows = [(it.what, it.must, it.aim, it.measured, it.verdict) for it in aims.aims(results)]
    return table(("what", "must", "aim", "measured", "verdict"), rows)


def _bounds(results: Results) -> str:
    lines = []
    if results.handlers is not None:
        lines.append(
            f"The handlers alone take {results.handlers.one_us:.0f} us of CPU a request, in "
            f"batches of 32 {results.handlers.batched_us:.0f} us."
        )
    echo = results.cell(ECHO, 64)
    if echo is not None:
        lines.append(
            f"HTTP that only echoes takes {echo.cpu_us:.0f} us at c=64, wrk "
            f"{echo.client_us:.0f} us."
        )
    for name in _OWN:
        for connections in CONNECTIONS[1:]:
            cell = results.cell(name, connections)
            if cell is not None:
                lines.append(_split(name, connections, cell))
    return "\n".join(lines)


def _split(name: str, connections: int, cell: Sample) -> str:
    workers = cell.cpu_us - cell.root_us
    return (
        f"{name} at c={connections}: daemon {cell.root_us:.0f} us, workers {workers:.0f} us, wrk "
        f"{cell.client_us:.0f} us of CPU a request."
    )


def _lines(results: Results) -> list[tuple[str, str]]:
    rows = []
    if results.starts is not None:
        starts = results.starts
        rows += [
            ("`sagelet --help`", _ms(starts.help_s)),
            ("`import torch` in a fresh interpreter", f"{starts.import_torch_s:.2f} s"),
            (
                "idle daemon after its first calls, resident, zygote aside",
                f"{starts.daemon_mb:.0f} MB",
            ),
            ("warm daemon: CreateEndpoint to InService", f"{starts.in_service_s:.2f} s"),
            ("warm daemon: three API calls to the first 200", f"{starts.deploy_s:.2f} s"),
            ("warm daemon: the command `sagelet deploy`, whole", f"{starts.command_s:.2f} s"),
        ]
    ours = results.figures.get(OURS)
    if ours is not None and ours.memories:
        held = f"{ours.memories[-1].root_mb:.0f} MB"
        rows.append(("the daemon after the load, resident, zygote aside", held))
    if results.second_worker_mb is not None:
        rows.append(("what a second worker adds to PSS", f"{results.second_worker_mb:.0f} MB"))
    return rows


def races(results: Results) -> str:
    """Return the table of training."""
    return table(_RACE_HEADS, _races(results))


_RACE_HEADS = ("what", "here", "beside it", "here over it")


def _races(results: Results) -> list[tuple[str, str, str, str]]:
    rows = []
    training, packing = results.training, results.packing
    if training is not None:
        toolkits, two = training.command_beside_toolkit, training.two_hosts
        named = (
            ("CreateTrainingJob to Completed; `python train.py`", training.job),
            ("`sagelet train`, whole; `python train.py`", training.command),
            ("`sagelet train`, whole; the toolkit's `train`", toolkits),
            ("an accepted job to the first line; the toolkit to it", training.first_line),
            ("two hosts to the first DDP step; torchrun, two agents", two),
        )
        rows += [_race_row(what, race) for what, race in named if race is not None]
    if packing is not None:
        what = "packing 1 GB of float32 weights; tarfile's `w:gz`"
        rows.append(_race_row(what, Race(packing.ours_s, packing.tarfile_s, packing.ratio)))
        ours, theirs = packing.ours_bytes, packing.tarfile_bytes
        share = f"{ours / theirs:.3f}"
        sizes = (f"{ours / 1e6:.0f} MB", f"{theirs / 1e6:.0f} MB")
        rows.append(("the archives of these", *sizes, share))
    return rows


def _race_row(what: str, race: Race) -> tuple[str, str, str, str]:
    return what, f"{race.ours_s:.2f} s", f"{race.theirs_s:.2f} s", f"{race.ratio:.3f}"


def _problems(results: Results) -> Iterator[str]:
    for name, found in results.figures.items():
        if found.problem:
            yield f"{name}: {_line(found.problem)}"
    yield from map(_line, results.problems)


def _kind(name: str) -> str:
    return "ours" if name.startswith("Sagelet") else "other"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def _line(text: str) -> str:
    """Return a text as one line that a table can hold, without this machine's folders."""
    return _FOLDER.sub(r"\1", " ".join(text.split())).replace("|", "/")[:300]
