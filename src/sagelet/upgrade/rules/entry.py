"""The entry points that a project names, and how they are started."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.lexing import split_lines
from sagelet.upgrade.projects import Project
from sagelet.upgrade.rules.text import Text
from sagelet.upgrade.subjects import Check, Spot

MISSING = Rule(
    id="entry-point-missing",
    title="The entry point is not there",
    severity=Severity.ERROR,
    why=(
        "On SageMaker a job without its entry point ends after minutes, with an empty message: the "
        "file has to lie in the source folder, since only that travels."
    ),
    fix="Name the file relative to the project, and a source folder that holds it.",
    example="train: {source: src, entry_point: train.py}  # lies beside src, not in it",
)
NAME = Rule(
    id="entry-point-name",
    title="An entry point whose name is refused",
    severity=Severity.ERROR,
    why=(
        "The training toolkit (from 5.1.4 on) takes letters, digits and `._+-` in an entry point's "
        "name, no spaces. The inference toolkit imports it as a module: a dot in its name would be "
        "a package's."
    ),
    fix="Rename the file.",
    example="my serve.v2.py  # refused\nserve_v2.py",
)
PYTHON_M = Rule(
    id="python-m-file",
    title="`python -m` with a file",
    severity=Severity.ERROR,
    why=(
        "`-m` takes a module's name. The article's `python -m training_script.py` fails with \"No "
        'module named training_script.py", after having imported training_script.'
    ),
    fix="Write `python training_script.py`, or `python -m training_script`.",
    example="python -m train.py  # broken\npython train.py",
)

# As sagemaker-training 5.1.4 has it.
_TRAINING_NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(?:/[A-Za-z0-9._+-]+)*")
_SERVING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.py)?")
_PYTHON_M = re.compile(r"\bpython[0-9.]*(?:\s+-[uOBEsS]+)*\s+(?P<place>-m\s+[\w./-]+\.py)\b")


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell script."""

    path: Path
    text: str


def missing(project: Project) -> Iterator[Spot]:
    """Find entry points that are not where they are said to be."""
    for section, run in (("train", project.train), ("serve", project.serve)):
        if run is None:
            continue
        line = project.line_of(section, "entry_point")
        if not run.entry_point.is_file():
            message = f"`{section}: entry_point:` names {run.entry_point}, which is not there"
            yield Spot((line, 1), message, path=project.file)
        elif section == "train" and not run.entry_point.is_relative_to(run.source):
            message = f"{run.entry_point} is not in the source folder {run.source}"
            yield Spot((line, 1), message, path=project.file)


def name(project: Project) -> Iterator[Spot]:
    """Find names that the toolkits refuse."""
    train, serve = project.train, project.serve
    if train is not None and train.entry_point.is_relative_to(train.source):
        told = train.entry_point.relative_to(train.source).as_posix()
        if not _TRAINING_NAME.fullmatch(told):
            line = project.line_of("train", "entry_point")
            message = f"the training toolkit refuses the entry point {told!r}"
            yield Spot((line, 1), message, path=project.file)
    if serve is not None and not _SERVING_NAME.fullmatch(serve.entry_point.name):
        line = project.line_of("serve", "entry_point")
        message = f"{serve.entry_point.name!r} cannot be imported as a module"
        yield Spot((line, 1), message, path=project.file)


def python_m(shell: Shell) -> Iterator[Spot]:
    """Find `python -m file.py` in a shell script."""
    for number, line in enumerate(split_lines(shell.text), start=1):
        match = _PYTHON_M.search(line.partition(" #")[0])
        if match and not line.lstrip().startswith("#"):
            yield Spot((number, match.start("place") + 1), "-m takes a module's name, not a file's")


def python_m_in_cells(text: Text) -> Iterator[Spot]:
    """Find `!python -m file.py` in a notebook."""
    for cell in text.source.cells or ():
        for number, line in enumerate(split_lines(cell.text)):
            match = _PYTHON_M.search(line) if line.lstrip().startswith("!") else None
            if match:
                place = (cell.first_line + number, match.start("place") + 1)
                yield Spot(place, "-m takes a module's name, not a file's")


PROJECT_CHECKS = (Check(MISSING, missing), Check(NAME, name))
SHELL_CHECKS = (Check(PYTHON_M, python_m),)
TEXT_CHECKS = (Check(PYTHON_M, python_m_in_cells),)
