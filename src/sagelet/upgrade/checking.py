"""`check_paths`: everything that the rules find in some files, sorted by place."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sagelet.errors import InvalidRequest, PathNotFound, UnreadableSource
from sagelet.upgrade import catalogue, suppressions
from sagelet.upgrade.contents import ARCHIVES, read_archive, read_folder
from sagelet.upgrade.findings import Finding, Rule
from sagelet.upgrade.lexing import split_lines
from sagelet.upgrade.pasted import mend
from sagelet.upgrade.program import Program
from sagelet.upgrade.projects import Project
from sagelet.upgrade.rules.entry import Shell
from sagelet.upgrade.rules.requirements import read_requirements_file
from sagelet.upgrade.rules.text import UNREADABLE, Text
from sagelet.upgrade.sources import Source, read_bytes, read_source
from sagelet.upgrade.subjects import Check, Script, Spot
from sagelet.upgrade.walking import SCRIPTS, SHELL, files_under, is_python, is_requirements

_MOST = 1000
"""Findings of one rule in one file; more of them have one cause, and nobody reads them."""

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, sorted by place, and the files that were looked at.

    `quotes` has the line of each finding as it was written, where there is one.
    """

    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    quotes: Mapping[Finding, str] = field(default_factory=dict)


def check_paths(
    paths: Sequence[Path], project: Project | None, *, rules: Collection[str] | None = None
) -> Report:
    """Check files and folders; `project` says what they are for, `rules` which to run.

    Of a folder its scripts, notebooks, shell scripts and requirements are checked; an archive, or a
    model's folder, only where it is named, or is the project's model.

    Raises:
        PathNotFound: one of the paths is not there.
        InvalidRequest: one of them is nothing that rules look at.
    """
    wanted = frozenset(catalogue.RULES if rules is None else rules)
    folders = tuple(path for path in paths if path.is_dir())
    return _Checking(project, wanted, folders).of(paths)


def paths_of(project: Project) -> list[Path]:
    """Return what a project names: its sources, its entry points and its model."""
    named: list[Path] = []
    for run in (project.train, project.serve):
        if run is not None:
            named += [run.source, run.entry_point]
    if project.serve is not None and project.serve.model is not None:
        named.append(project.serve.model)
    return [path for path in dict.fromkeys(named) if path.exists()]


@dataclass
class _Checking:
    project: Project | None
    rules: frozenset[str]
    folders: tuple[Path, ...] = ()
    findings: dict[Finding, str] = field(default_factory=dict)
    files: dict[Path, None] = field(default_factory=dict)
    _ignores: dict[Path, list[suppressions.Ignore]] = field(default_factory=dict)
    _used: list[tuple[suppressions.Ignore, str]] = field(default_factory=list)
    _sources: dict[Path, Source] = field(default_factory=dict)
    _lines: dict[Path, tuple[str, ...]] = field(default_factory=dict)

    def of(self, paths: Sequence[Path]) -> Report:
        for path in paths:
            if not path.exists():
                raise PathNotFound(str(path))
            for file in files_under(path, model=self._model()):
                if file not in self.files:
                    self.files[file] = None
                    self._check(file, is_named=file == path)
        self._check_project(paths)
        self._check_ignores()
        found = sorted(self.findings, key=_order)
        return Report(tuple(found), tuple(self.files), self.findings)

    def _roots_of(self, path: Path) -> tuple[Path, ...]:
        """Return the folders that a script's imports may start from: those above it, too."""
        of_project = (self.project.folder,) if self.project else ()
        roots = tuple(root.absolute() for root in (*self.folders, *of_project, Path.cwd()))
        above = [
            folder
            for folder in path.absolute().parents
            if any(folder.is_relative_to(root) for root in roots)
        ]
        return tuple(dict.fromkeys((*above, *roots)))

    def _model(self) -> Path | None:
        serve = self.project.serve if self.project else None
        return serve.model if serve else None

    def _check(self, path: Path, *, is_named: bool) -> None:
        try:
            if path.is_dir():
                self._run(catalogue.CONTENTS_CHECKS, read_folder(path), path)
            elif path.name.endswith(ARCHIVES):
                self._run(catalogue.CONTENTS_CHECKS, read_archive(path), path)
            elif path.suffix in SCRIPTS or is_python(path):
                self._check_script(path)
            elif path.suffix == SHELL:
                shell = Shell(path, read_bytes(path).decode("utf-8", "replace"))
                self._note_lines(path)
                self._run(catalogue.SHELL_CHECKS, shell, path)
            elif is_requirements(path):
                self._note_lines(path)
                self._run(catalogue.REQUIREMENTS_CHECKS, read_requirements_file(path), path)
            elif is_named and path != self._model():
                what = "a script, a notebook, a shell script, requirements or an archive"
                raise InvalidRequest(f"{path} is nothing that a check looks at: name {what}.")
        except UnreadableSource as error:
            spot = Spot((error.line or 1, 1), error.reason)
            self._add(UNREADABLE, spot, path, None)

    def _check_script(self, path: Path) -> None:
        source = read_source(path)
        mended = mend(source)
        self._sources[path] = source
        self._ignores[path] = suppressions.ignores_in_code(source.written)
        self._run(catalogue.TEXT_CHECKS, Text(source, mended), path, source)
        if mended.tree is not None:
            script = Script(
                source,
                mended,
                Program(mended.tree, mended.text),
                self.project,
                self._roots_of(path),
            )
            self._run(catalogue.SCRIPT_CHECKS, script, path, source)

    def _check_project(self, paths: Sequence[Path]) -> None:
        """Look at the configuration, if what it names was among the paths."""
        project = self.project
        if project is None or project.file is None:
            return
        runs = [run for run in (project.train, project.serve) if run is not None]
        if any(_covers(path, run.entry_point) for path in paths for run in runs):
            self._note_lines(project.file)
            self._run(catalogue.PROJECT_CHECKS, project, project.file)

    def _run(
        self,
        checks: Iterable[Check[Subject]],
        subject: Subject,
        path: Path,
        source: Source | None = None,
    ) -> None:
        for check in checks:
            if check.rule.id in self.rules:
                for spot in islice(check.find(subject), _MOST):
                    self._add(check.rule, spot, path, source, subject)

    def _add(
        self, rule: Rule, spot: Spot, path: Path, source: Source | None, subject: object = None
    ) -> None:
        if rule.id not in self.rules:
            return
        if spot.path is not None and spot.path != path:
            path, source, subject = spot.path, self._sources.get(spot.path), None
            if path not in self._ignores:
                self._note_lines(path)
        line, column = _place_of(spot, subject)
        used = next(
            (each for each in self._ignores.get(path, ()) if each.covers(rule.id, line)), None
        )
        if used is not None:
            self._used.append((used, rule.id))
            return
        quote = self._quote(path, line, source)
        cell, line = source.place(line) if source is not None else (None, line)
        finding = Finding(
            rule=rule.id,
            severity=spot.severity or rule.severity,
            path=path,
            line=line,
            message=spot.message,
            hint=spot.hint or rule.fix,
            column=column,
            cell=cell,
        )
        self.findings[finding] = quote

    def _quote(self, path: Path, line: int, source: Source | None) -> str:
        if source is not None:
            return source.shown(line)
        lines = self._lines.get(path, ())
        return lines[line - 1] if 0 < line <= len(lines) else ""

    def _note_lines(self, path: Path) -> None:
        try:
            lines = split_lines(read_bytes(path).decode("utf-8", "replace"))
        except UnreadableSource:
            lines = ()  # its rules say so themselves
        self._lines[path] = lines
        if path.suffix in SCRIPTS:
            self._ignores[path] = suppressions.ignores_in_code("\n".join(lines))
        else:
            self._ignores[path] = suppressions.ignores_in_lines(lines)

    def _check_ignores(self) -> None:
        for path, ignores in self._ignores.items():
            if path not in self.files and (self.project is None or path != self.project.file):
                continue
            found = list(
                suppressions.unused(
                    ignores, self._used, known=frozenset(catalogue.RULES), ran=self.rules
                )
            )
            for ignore, message in found:
                spot = Spot((ignore.line, ignore.column), message)
                self._ignores[path] = []  # what silences everything does not silence this
                self._add(suppressions.UNUSED, spot, path, self._sources.get(path))


def _place_of(spot: Spot, subject: object) -> tuple[int, int]:
    if isinstance(spot.at, tuple):
        return spot.at
    line = getattr(spot.at, "lineno", 1)
    if isinstance(subject, Script):
        return line, subject.program.column(spot.at)
    assert isinstance(spot.at, ast.AST)
    return line, getattr(spot.at, "col_offset", 0) + 1


def _order(finding: Finding) -> tuple[str, int, int, int, str]:
    return str(finding.path), finding.cell or 0, finding.line, finding.column, finding.rule


def _covers(path: Path, entry_point: Path) -> bool:
    return entry_point.is_relative_to(path.absolute())
