"""Loss curves as a file: PNG or SVG, by matplotlib, which is the extra `plot`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sagelet.cli.jobs.points import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS = (".png", ".svg")
MISSING = "plots need matplotlib, which is not installed: pip install 'sagelet[plot]'"

_WIDTH_INCHES, _HEIGHT_INCHES = 8.0, 3.0
_DOTS_PER_INCH = 150
_MARKED_AT_MOST = 60
_UNITS = ((3 * 3600.0, 3600.0, "hours"), (300.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))


def write_plot(curves: Sequence[Curve], file: Path) -> None:
    """Draw curves, an axes a metric, a line a job and host, and write them whole.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    metrics = list(dict.fromkeys(curve.metric for curve in curves))
    figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES * len(metrics)), layout="constrained")
    rows = figure.subplots(len(metrics), squeeze=False, sharex=True)
    starts = _starts(curves)
    seconds = max((_after(curve, starts)[-1] for curve in curves), default=0.0)
    divisor, unit = next((size, unit) for least, size, unit in _UNITS if seconds >= least)
    for metric, (axes,) in zip(metrics, rows, strict=True):
        _draw(axes, [curve for curve in curves if curve.metric == metric], starts, divisor)
        axes.set_ylabel(plain(metric))
    rows[-1][0].set_xlabel(unit)
    with replacing(file) as temporary:
        figure.savefig(temporary, format=file.suffix[1:].lower(), dpi=_DOTS_PER_INCH)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Have a file written under another name, and give it its own once it is whole.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


def _draw(axes: Axes, curves: Sequence[Curve], starts: dict[str, float], divisor: float) -> None:
    for curve in curves:
        axes.plot(
            [second / divisor for second in _after(curve, starts)],
            [point.value for point in curve.points],
            label=plain(label_of(curve, curves)),
            marker="." if len(curve.points) <= _MARKED_AT_MOST else "",
            linewidth=1.2,
        )
    axes.grid(visible=True, alpha=0.3)
    if len(curves) > 1:
        axes.legend(fontsize="small")
    elif curves:
        axes.set_title(plain(curves[0].job), fontsize="small", loc="left")


def label_of(curve: Curve, among: Sequence[Curve]) -> str:
    """Return what tells a curve from the others: its host, its job, or both."""
    several_jobs = len({other.job for other in among}) > 1
    several_hosts = len({other.host for other in among}) > 1
    if several_jobs:
        return f"{curve.job} {curve.host}" if several_hosts else curve.job
    return curve.host or curve.job


def plain(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")


def _starts(curves: Sequence[Curve]) -> dict[str, float]:
    """When each job's first point was: jobs are compared from there."""
    starts: dict[str, float] = {}
    for curve in curves:
        first = curve.points[0].at.timestamp()
        starts[curve.job] = min(first, starts.get(curve.job, first))
    return starts


def _after(curve: Curve, starts: dict[str, float]) -> list[float]:
    return [point.at.timestamp() - starts[curve.job] for point in curve.points]
