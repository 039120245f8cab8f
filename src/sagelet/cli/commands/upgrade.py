"""`sagelet upgrade`: training scripts and notebooks, turned into ones that run on SageMaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.output import safe

if TYPE_CHECKING:
    from sagelet.upgrade.findings import Finding
    from sagelet.upgrade.rewriting import Upgraded

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument(
    "scripts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SCRIPT..."
)
@click.option("--write", "writes", is_flag=True, help="Change the files; default: show a diff.")
@click.option("--check", "checks", is_flag=True, help="End with code 3 if a file would change.")
@with_shared_options
@click.pass_obj
def command(app: App, *, scripts: tuple[Path, ...], writes: bool, checks: bool) -> int:
    """Make a training script run alone, under `sagelet train` and on SageMaker.

    SCRIPT is a script, a notebook, or a folder of these. The diff goes to standard output, what was
    done and what was left (with its place and why) to standard error. What is made needs nothing of
    sagelet's; done again, it changes nothing.

    \b
    sagelet upgrade normal_script.py
    sagelet upgrade --write normal_script.py
    sagelet upgrade --check .
    """
    if writes and checks:
        raise click.UsageError("--write and --check exclude each other")
    found = [_upgraded(path, writes=writes) for path in _files(scripts)]
    if app.output.json:
        app.output.document({"files": [each.facts() for each in found]})
    else:
        for each in found:
            _show(app, each, is_named=each.path in scripts)
    would_change = any(each.is_changed for each in found)
    return failures.DIFFERS if checks and would_change else failures.OK


@dataclass(frozen=True, slots=True)
class _File:
    """A file, what the upgrade makes of it, and whether that was written."""

    path: Path
    upgraded: Upgraded
    diff: str
    is_written: bool

    @property
    def is_changed(self) -> bool:
        return bool(self.diff)

    def facts(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "changed": self.is_changed,
            "written": self.is_written,
            "why": self.upgraded.why,
            "changes": [
                {"rule": each.rule, "message": each.message} for each in self.upgraded.changes
            ],
            "left": [_facts(each) for each in self.upgraded.left],
            "diff": self.diff,
        }


def _facts(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "path": str(finding.path),
        "cell": finding.cell,
        "line": finding.line,
        "message": finding.message,
        "hint": finding.hint,
    }


def _files(scripts: tuple[Path, ...]) -> list[Path]:
    from sagelet.upgrade.files import files_of

    return list(dict.fromkeys(file for path in scripts for file in files_of(path)))


def _upgraded(path: Path, *, writes: bool) -> _File:
    from sagelet.upgrade.diffs import diff
    from sagelet.upgrade.files import new_content, replace_file
    from sagelet.upgrade.rewriting import upgrade_source
    from sagelet.upgrade.sources import read_bytes, read_source

    before = read_bytes(path)
    source = read_source(path)
    upgraded = upgrade_source(source)
    changes = diff(source, upgraded, str(path))
    if changes and writes:
        replace_file(path, before, new_content(source, upgraded, before))
    return _File(path, upgraded, changes, bool(changes) and writes)


def _show(app: App, file: _File, *, is_named: bool) -> None:
    """Show a file's diff and what was done; of a folder, only the files that matter."""
    output, upgraded = app.output, file.upgraded
    if not file.is_changed and not upgraded.left and not is_named:
        return
    if file.is_changed and not file.is_written:
        for line in file.diff.removesuffix("\n").split("\n"):
            output.text(_coloured(line))
    if file.is_written:
        output.say(f"wrote {file.path}", style="green")
    elif not file.is_changed:
        output.say(f"{file.path}: nothing to do{f': {upgraded.why}' if upgraded.why else ''}")
    for change in upgraded.changes:
        output.say(f"  done  {change.message} [{change.rule}]")
    for finding in upgraded.left:
        output.say(f"  left  {finding.place}: {safe(finding.message)} [{finding.rule}]")
        if finding.hint:
            output.say(f"        {safe(finding.hint)}")


def _coloured(line: str) -> str:
    return click.style(safe(line), fg=_COLOURS.get(line[:1]), bold=line[:3] in ("+++", "---"))
