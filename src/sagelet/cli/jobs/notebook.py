"""`sagelet.follow`: a training job's lines as they come, and its curves under the cell.

job = sagelet.follow("digits-2026-01-02")
job.curves[0].points[-1].value
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sagelet.cli.jobs.log_lines import Line
from sagelet.cli.jobs.looks import looks_at
from sagelet.cli.jobs.points import Ask, Curve, hosts_of, reader_of
from sagelet.cli.jobs.svg import svg_of
from sagelet.cli.jobs.terminal_plot import number
from sagelet.cli.output import safe
from sagelet.journal.overwritten import Kind

if TYPE_CHECKING:
    from sagelet.environments.deploy_env import DeployEnv

_CELL = "padding:2px 12px 2px 0;text-align:left"
_COLOURS = {"Completed": "#3ba55d", "Failed": "#d8463b"}


@dataclass(frozen=True, slots=True, repr=False)
class FollowedJob:
    """A training job that has ended, with the curves of its metrics; notebooks draw it."""

    description: Mapping[str, Any]
    curves: tuple[Curve, ...]

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        """How it ended: Completed, Stopped or Failed."""
        return str(self.description["TrainingJobStatus"])

    @property
    def failure_reason(self) -> str:
        """Why it failed, or an empty string."""
        return str(self.description.get("FailureReason", ""))

    @property
    def artifact(self) -> str:
        """Where its model is, or an empty string."""
        return str(self.description.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""))

    def __repr__(self) -> str:
        """Return the job as text: its end, its metrics, its model."""
        lines = [f"training job {self.name}: {self.status}", *self.failure_reason.splitlines()]
        lines += ["  ".join(row) for row in self._rows()]
        return "\n".join(safe(line) for line in [*lines, self.artifact] if line)

    def _repr_html_(self) -> str:
        """Return the job as HTML, with a plot of each metric."""
        colour = _COLOURS.get(self.status, "currentColor")
        reason = f"<pre>{escape(safe(self.failure_reason))}</pre>" if self.failure_reason else ""
        artifact = f"<div><code>{escape(self.artifact)}</code></div>" if self.artifact else ""
        return (
            f'<div><b>{escape(self.name)}</b> <span style="color:{colour}">'
            f"{escape(self.status)}</span>{reason}{self._table()}{self._plots()}{artifact}</div>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the job in the forms that IPython may show."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _rows(self) -> list[list[str]]:
        has_hosts = len(hosts_of(self.description)) > 1
        return [
            [curve.metric]
            + [curve.host] * has_hosts
            + [f"{name} {number(value)}" for name, value in _figures(curve)]
            for curve in self.curves
        ]

    def _table(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self._rows()
        )
        return f"<table>{rows}</table>" if rows else ""

    def _plots(self) -> str:
        plots = []
        for metric in dict.fromkeys(curve.metric for curve in self.curves):
            some = [curve for curve in self.curves if curve.metric == metric]
            if any(len(curve.points) > 1 for curve in some):
                plots.append(f"<div>{svg_of(some, [curve.host for curve in some])}</div>")
        return "".join(plots)


def follow(
    job_name: str, env: DeployEnv | str | None = None, *, metrics: Sequence[str] = ()
) -> FollowedJob:
    """Print the lines of a training job as they come, and return it when it has ended.

    `env` is an environment or its name, as for `DeployEnv`; `metrics` are those to draw, all where
    none is named. Interrupting it leaves the job to go on.

    Raises:
        ConfigError: there is no such environment.
        RemoteError: the API answered with an error, or not at all.
    """
    from sagelet.environments.deploy_env import DeployEnv

    chosen = env if isinstance(env, DeployEnv) else DeployEnv(None, env, start=Path.cwd())
    return followed(_asking(chosen), job_name, is_local=chosen.is_local(), metrics=metrics)


def followed(
    ask: Ask, job: str, *, is_local: bool, metrics: Sequence[str] = (), out: TextIO | None = None
) -> FollowedJob:
    """Follow a job by what makes the calls; `out` is standard output unless given."""
    printer = _Printer(out or sys.stdout)
    description: Mapping[str, Any] = {}
    for look in looks_at(ask, job, is_local=is_local):
        several = len(hosts_of(look.description)) > 1
        for line in look.lines:
            printer.show(line, f"{line.host} | " if several else "")
        description = look.description
    curves = reader_of(ask, is_local=is_local).curves(description, metrics)
    return FollowedJob(description, tuple(curves))


class _Printer:
    """Writes lines; a line that is overwritten is, where somebody looks."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # A notebook's output is no terminal, and knows carriage returns.
        self._is_watched = out.isatty() or "ipykernel" in sys.modules
        self._width = 0

    def show(self, line: Line, prefix: str) -> None:
        text = prefix + safe(line.text)
        if line.kind is Kind.STATE:
            if self._is_watched:
                self._out.write(f"\r{text.ljust(self._width)}")
                self._width = len(text)
        else:
            begin = f"\r{' ' * self._width}\r" if self._width else ""
            self._out.write(f"{begin}{text}\n")
            self._width = 0
        self._out.flush()


def _asking(env: DeployEnv) -> Ask:
    """Return what makes calls in an environment."""
    from botocore import xform_name

    from sagelet.environments.translation import translating

    def ask(service: str, operation: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  the API's own
        client: Any = env.client(service)
        with translating(operation, environment=env.current_env()):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        return answer

    return ask


def _figures(curve: Curve) -> list[tuple[str, float]]:
    return [
        ("last", curve.last),
        ("min", curve.least),
        ("max", curve.greatest),
        ("points", curve.count),
    ]
