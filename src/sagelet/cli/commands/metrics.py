"""`sagelet metrics`: the curves of training jobs, as a table, a plot, or every point."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe
from sagelet.cli.resources import JOB, find

if TYPE_CHECKING:
    from sagelet.cli.jobs.points import Curve, MetricsReader, Point

_LOOK_EVERY_S = 1.0
_AWS_LOOK_EVERY_S = 15.0
_LATE = timedelta(seconds=30)
"""How much later than another's a host's points may come."""
_WIDEST, _MARGIN = 100, 14
_COLUMNS = ("job", "host", "metric", "timestamp", "value", "min", "max", "count")


@click.command()
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@click.option("--metric", "names", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option("--plot", "file", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw the curves into a .png or .svg file.")  # fmt: skip
@click.option("-f", "--follow", is_flag=True, help="Every point as it comes, until the end.")
@click.option("--jsonl", is_flag=True, help="Every point, one JSON document a line.")
@click.option("--csv", "as_csv", is_flag=True, help="Every point as comma-separated values.")
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    jobs: tuple[str, ...],
    names: tuple[str, ...],
    file: Path | None,
    follow: bool,
    jsonl: bool,
    as_csv: bool,
) -> None:
    """Show what the metrics of training jobs came to.

    The points are a second apart here, and a minute at AWS.

    \b
    sagelet metrics my-job
    sagelet metrics my-job --metric loss --csv > loss.csv
    sagelet metrics first-job second-job --plot curves.png
    """
    from sagelet.cli.jobs.points import reader_of

    if jsonl and as_csv:
        raise click.UsageError("--jsonl and --csv: choose one")
    if file is not None:
        _check_plot(file)
    # Whoever is not there is told of before anything is waited for.
    descriptions = [find(app, job, (JOB,))[1] for job in jobs]
    reader = reader_of(app.call, is_local=app.deploy_env().is_local())
    write = _csv_writer(app) if as_csv else _jsonl_writer(app) if jsonl else None
    if follow:
        _follow(app, reader, descriptions, names, write or _text_writer(app))
        descriptions = [find(app, job, (JOB,))[1] for job in jobs]
    curves = [curve for one in descriptions for curve in reader.curves(one, names)]
    if not curves:
        app.output.say(_nothing(descriptions, names))
    elif file is not None:
        _plot(app, curves, file)
    if write is None:
        _tell(app, curves)
    elif not follow:
        for curve in curves:
            for point in curve.points:
                write(curve, point)


def _nothing(descriptions: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Say why there is nothing to show."""
    from sagelet.cli.jobs.points import names_of

    defined = [name for one in descriptions for name in names_of(one)]
    if not defined:
        return "no metrics are defined; `train: metrics:` of the configuration names them"
    if names and not set(names) & set(defined):
        return f"no such metric; there are {', '.join(dict.fromkeys(defined))}"
    return "no points yet"


def _tell(app: App, curves: Sequence[Curve]) -> None:
    """Write what the curves came to: as data, or as a table and, on a terminal, plots."""
    if app.output.json:
        app.output.document([_summary(curve) for curve in curves])
    elif curves:
        _show_table(app, curves)
        if app.output.draws:
            _show_plots(app, curves)


def _show_table(app: App, curves: Sequence[Curve]) -> None:
    from sagelet.cli.jobs.terminal_plot import number

    several_jobs = len({curve.job for curve in curves}) > 1
    several_hosts = len({curve.host for curve in curves}) > 1
    heads = ["job"] * several_jobs + ["host"] * several_hosts
    rows = []
    for curve in curves:
        where = [curve.job] * several_jobs + [curve.host] * several_hosts
        values = (number(value) for value in (curve.last, curve.least, curve.greatest))
        rows.append([*where, safe(curve.metric), *values, str(curve.count)])
    app.output.table([*heads, "metric", "last", "min", "max", "points"], rows)


def _show_plots(app: App, curves: Sequence[Curve]) -> None:
    from sagelet.cli.jobs.terminal_plot import drawn

    width = max(8, min(_WIDEST, shutil.get_terminal_size().columns) - _MARGIN)
    for curve in curves:
        if len(curve.points) > 1:
            app.output.text(f"\n{curve.job} {curve.host} {safe(curve.metric)}")
            pairs = [(point.at.timestamp(), point.value) for point in curve.points]
            for line in drawn(pairs, width=width):
                app.output.text(line)


def _check_plot(file: Path) -> None:
    """Refuse what cannot be drawn before anything is asked for."""
    from sagelet.cli.jobs.plot_files import KINDS

    if file.suffix.lower() not in KINDS:
        raise click.UsageError(f"--plot {file}: a plot is a {' or '.join(KINDS)} file")
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"--plot {file}: there is no folder {file.absolute().parent}")


def _plot(app: App, curves: Sequence[Curve], file: Path) -> None:
    from sagelet.cli.jobs.plot_files import MISSING, write_plot

    try:
        write_plot(curves, file)
    except ImportError as error:
        raise click.UsageError(MISSING) from error
    except OSError as error:
        raise click.UsageError(f"--plot {file}: {error.strerror or error}") from error
    app.output.say(f"drew {file}")


def _follow(
    app: App,
    reader: MetricsReader,
    descriptions: Sequence[dict[str, Any]],
    names: Sequence[str],
    write: Callable[[Curve, Point], None],
) -> None:
    """Write every point as it comes, until all jobs have ended."""
    every_s = _LOOK_EVERY_S if app.deploy_env().is_local() else _AWS_LOOK_EVERY_S
    jobs = [description["TrainingJobName"] for description in descriptions]
    followers = {job: _fresh_points(app, reader, job, names) for job in jobs}
    while followers:
        for job, fresh in list(followers.items()):
            points = next(fresh, None)
            if points is None:
                del followers[job]
            for curve, point in points or ():
                write(curve, point)
        if followers:
            time.sleep(every_s)


def _fresh_points(
    app: App, reader: MetricsReader, job: str, names: Sequence[str]
) -> Iterator[list[tuple[Curve, Point]]]:
    """Yield the points that are new at each look, in order of time; end with the job.

    A period is told once it is over.
    """
    from sagelet.cli.jobs.points import has_ended

    told: dict[tuple[str, str], datetime] = {}
    since: datetime | None = None
    ended = False
    while not ended:
        description = app.call("sagemaker", "DescribeTrainingJob", TrainingJobName=job)
        ended = has_ended(description)
        over = datetime.now(UTC) - timedelta(seconds=2 * reader.period_s)
        fresh = []
        for curve in reader.curves(description, names, since=since):
            key = (curve.host, curve.metric)
            before = told.get(key)
            points = [
                point
                for point in curve.points
                if (before is None or point.at > before) and (ended or point.at <= over)
            ]
            if points:
                told[key] = points[-1].at
                fresh += [(curve, point) for point in points]
        if told:
            since = min(told.values()) - _LATE
        fresh.sort(key=lambda pair: pair[1].at)
        yield fresh


def _text_writer(app: App) -> Callable[[Curve, Point], None]:
    from sagelet.cli.jobs.terminal_plot import number

    def write(curve: Curve, point: Point) -> None:
        moment = point.at.astimezone().isoformat(timespec="seconds")
        where = " ".join(part for part in (curve.job, curve.host) if part)
        app.output.text(f"{moment} {where} {safe(curve.metric)} {number(point.value)}")

    return write


def _jsonl_writer(app: App) -> Callable[[Curve, Point], None]:
    def write(curve: Curve, point: Point) -> None:
        row = dict(zip(_COLUMNS, _row(curve, point), strict=True))
        app.output.text(json.dumps(row, ensure_ascii=False))

    return write


def _csv_writer(app: App) -> Callable[[Curve, Point], None]:
    def line(cells: Sequence[object]) -> None:
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(cells)
        app.output.text(written.getvalue())

    line(_COLUMNS)
    return lambda curve, point: line(_row(curve, point))


def _row(curve: Curve, point: Point) -> list[object]:
    return [
        curve.job,
        curve.host,
        curve.metric,
        point.at.isoformat(),
        point.value,
        point.least,
        point.greatest,
        round(point.count),
    ]


def _summary(curve: Curve) -> dict[str, Any]:
    return {
        "job": curve.job,
        "host": curve.host,
        "metric": curve.metric,
        "last": curve.last,
        "min": curve.least,
        "max": curve.greatest,
        "points": curve.count,
    }
