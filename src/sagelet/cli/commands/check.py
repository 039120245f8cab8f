"""`sagelet check`: what the rules find in scripts, notebooks, requirements and archives."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.findings import facts, shown
from sagelet.cli.output import safe

if TYPE_CHECKING:
    from sagelet.environments.config import ProjectConfig
    from sagelet.upgrade.checking import Report
    from sagelet.upgrade.findings import Finding

_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}
_SEVERITIES = ("error", "warning", "hint")
_LONGEST_QUOTE = 160


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--select", multiple=True, metavar="RULE[,RULE]", help="Run these rules only.")
@click.option("--ignore", multiple=True, metavar="RULE[,RULE]", help="Run all rules but these.")
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="warning",
    show_default=True,
    help="The least severity that ends with code 3.",
)
@with_shared_options
@click.pass_obj
def command(
    app: App,
    *,
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
) -> int:
    """Find what would fail on SageMaker, without running any of it.

    PATH is a script, a notebook, a shell script, a requirements.txt, a model.tar.gz, or a folder of
    these. Without one, what the configuration names is checked: sources, entry points and the
    model; without a configuration, this folder. Ends with code 3 where something is found.

    `# sagelet: ignore[RULE]` in a line silences a rule there.

    \b
    sagelet check
    sagelet check train.py --ignore print-not-logger
    sagelet check build/model.tar.gz --json
    """
    from sagelet.upgrade.catalogue import RULES
    from sagelet.upgrade.checking import check_paths, paths_of
    from sagelet.upgrade.projects import read_project

    wanted = _chosen(select, RULES) or set(RULES)
    wanted -= _chosen(ignore, RULES)
    project = read_project(_configuration(app, paths))
    looked_at = list(paths) or paths_of(project) or [app.project or Path()]
    report = check_paths(looked_at, project, rules=wanted)
    if app.output.json:
        app.output.document(_document(report))
    else:
        _show(app, report)
    failing = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return failures.DIFFERS if found else failures.OK


def _chosen(given: Iterable[str], known: Iterable[str]) -> set[str]:
    names = {name.strip() for part in given for name in part.split(",") if name.strip()}
    for name in sorted(names):
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            meant = f"; did you mean {near[0]!r}?" if near else "; `sagelet explain` lists them"
            raise click.UsageError(f"no rule {name!r}{meant}")
    return names


def _configuration(app: App, paths: tuple[Path, ...]) -> ProjectConfig:
    """Return the configuration of here, or else of the first path's folder."""
    from sagelet.environments.config import load

    config = load(app.config, start=app.project, environ=os.environ)
    if config.file is None and paths and app.project is None:
        first = paths[0] if paths[0].is_dir() else paths[0].parent
        return load(app.config, working_folder=first, environ=os.environ)
    return config


def _document(report: Report) -> dict[str, Any]:
    counts = Counter(finding.severity.value for finding in report.findings)
    return {
        "findings": [facts(finding) for finding in report.findings],
        "files": [shown(path) for path in report.files],
        "counts": {severity: counts[severity] for severity in _SEVERITIES},
    }


def _show(app: App, report: Report) -> None:
    for finding in report.findings:
        for line in _lines(finding, report.quotes.get(finding, "")):
            app.output.text(line)
        app.output.text("")
    app.output.text(_summary(report))


def _lines(finding: Finding, quote: str) -> Iterable[str]:
    """Yield a finding as a compiler would show it."""
    severity = finding.severity.value
    label = click.style(f"{severity}[{finding.rule}]", fg=_COLOURS[severity], bold=True)
    yield f"{label}: {safe(finding.message)}"
    cell = "" if finding.cell is None else f"[cell {finding.cell}]"
    margin = " " * len(str(finding.line))
    yield f"{margin}--> {shown(finding.path)}{cell}:{finding.line}:{finding.column}"
    if quote.strip() and len(quote) <= _LONGEST_QUOTE:
        # Tabs stay tabs, so that the mark stands below what it marks.
        before = re.sub(r"[^\t]", " ", quote[: finding.column - 1])
        yield f"{margin} |"
        yield f"{finding.line} | {safe(quote.rstrip())}"
        yield f"{margin} | {before}{click.style('^', fg=_COLOURS[severity], bold=True)}"
    if finding.hint:
        yield f"{margin} = {click.style('hint', fg='cyan')}: {safe(finding.hint)}"


def _summary(report: Report) -> str:
    files = _counted(len(report.files), "file")
    if not report.findings:
        return f"nothing found in {files}"
    counts = Counter(finding.severity.value for finding in report.findings)
    told = ", ".join(_counted(counts[each], each) for each in _SEVERITIES if counts[each])
    return f"{told} in {files}; `sagelet explain RULE` says why"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
