"""`sagelet upgrade`: training scripts and notebooks, turned into ones that run on SageMaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagelet.cli import failures
from sagelet.cli.context import App, with_shared_options
from sagelet.cli.findings import facts
from sagelet.cli.output import safe

if TYPE_CHECKING:
    from sagelet.upgrade.rewriting import Upgraded

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument(
    "scripts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SCRIPT..."
)
@click.option("--write", "writes", is_flag=True, help="Change the files; default: show a diff.")
@click.option("--check", "checks", is_flag=True, help="End with code 3 if a file would change.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what is made of one script there; of a notebook, a script.",
)
@with_shared_options
@click.pass_obj
def command(
    app: App, *, scripts: tuple[Path, ...], writes: bool, checks: bool, output: Path | None
) -> int:
    """Make a training script run alone, under `sagelet train` and on SageMaker.

    SCRIPT is a script, a notebook, or a folder of these. The diff goes to standard output, what was
    done and what was left (with its place and why) to standard error. What is made needs nothing of
    sagelet's; done again, it changes nothing.

    \b
    sagelet upgrade normal_script.py
    sagelet upgrade --write normal_script.py
    sagelet upgrade notebook.ipynb --output train.py
    sagelet upgrade --check .
    """
    if writes + checks + (output is not None) > 1:
        raise click.UsageError("--write, --check and --output exclude each other")
    files = _files(scripts)
    if output is not None and len(files) != 1:
        raise click.UsageError("--output takes one script")
    found = [_upgraded(path, writes=writes, output=output) for path in files]
    if app.output.json:
        app.output.document({"files": [each.facts() for each in found]})
    else:
        for each in found:
            _show(app, each, is_named=each.path in scripts)
    would_change = any(each.is_changed for each in found)
    return failures.DIFFERS if checks and would_change else failures.OK


@dataclass(frozen=True, slots=True)
class _File:
    """A file, what the upgrade makes of it, and where that was written."""

    path: Path
    upgraded: Upgraded
    diff: str
    written: Path | None

    @property
    def is_changed(self) -> bool:
        return bool(self.diff)

    def facts(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "changed": self.is_changed,
            "written": None if self.written is None else str(self.written),
            "why": self.upgraded.why,
            "changes": [
                {"rule": each.rule, "message": each.message} for each in self.upgraded.changes
            ],
            "left": [facts(each) for each in self.upgraded.left],
            "diff": self.diff,
        }


def _files(scripts: tuple[Path, ...]) -> list[Path]:
    from sagelet.upgrade.files import files_of

    return list(dict.fromkeys(file for path in scripts for file in files_of(path)))


def _upgraded(path: Path, *, writes: bool, output: Path | None) -> _File:
    from sagelet.upgrade.diffs import diff
    from sagelet.upgrade.files import as_one_script, new_content, replace_file, write_script
    from sagelet.upgrade.rewriting import upgrade_source
    from sagelet.upgrade.sources import read_bytes, read_source

    before = read_bytes(path)
    source = read_source(path)
    if output is not None:
        source = as_one_script(source)
    upgraded = upgrade_source(source)
    changes = diff(source, upgraded, str(path))
    if changes and writes:
        replace_file(path, before, new_content(source, upgraded, before))
    if output is not None:
        write_script(output, upgraded)
    written = output or (path if changes and writes else None)
    return _File(path, upgraded, changes, written)


def _show(app: App, file: _File, *, is_named: bool) -> None:
    """Show a file's diff and what was done; of a folder, only the files that matter."""
    output, upgraded = app.output, file.upgraded
    if not file.is_changed and not upgraded.left and not is_named:
        return
    if file.is_changed and file.written is None:
        for line in file.diff.removesuffix("\n").split("\n"):
            output.text(_coloured(line))
    if file.written is not None:
        output.say(f"wrote {file.written}", style="green")
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
