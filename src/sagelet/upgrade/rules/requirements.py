"""What a script needs beside itself, and whether anything installs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import UnreadableSource
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.images import (
    NOT_DISTRIBUTIONS,
    SERVING,
    TRAINING,
    distributions_of,
    is_known,
    normal,
)
from sagelet.upgrade.needs import Import, Requirements, imports_of, read_requirements
from sagelet.upgrade.projects import REQUIREMENTS, Project
from sagelet.upgrade.sources import read_bytes
from sagelet.upgrade.subjects import Check, Script, Spot

MISSING = Rule(
    id="missing-requirement",
    title="An import that nothing installs",
    severity=Severity.WARNING,
    why=(
        "AWS's PyTorch images bring torch, numpy, pandas, scikit-learn and some more (the table is "
        "`upgrade/images.py`, from the images' Dockerfiles). What else a script imports has to be "
        "in the requirements.txt at the root of its source: here it may be installed already, on "
        "SageMaker the job ends with ModuleNotFoundError."
    ),
    fix="Add a line to requirements.txt.",
    example="import timm  # and no `timm` in requirements.txt",
)
WRONG_NAME = Rule(
    id="requirement-name",
    title="A module's name in place of its distribution's",
    severity=Severity.ERROR,
    why=(
        "pip installs distributions, and some have other names than the modules in them: "
        "`pip install sklearn` fails on purpose, and so ends the job."
    ),
    fix="Write the distribution's name.",
    example="sklearn  # fails\nscikit-learn",
)
PLACE = Rule(
    id="requirements-place",
    title="A requirements.txt that is not looked at",
    severity=Severity.WARNING,
    why=(
        "It is read at the root of a job's source, and in `code/` of a model's archive. Elsewhere, "
        "beside an entry point in a folder below for one, it travels along and is never installed."
    ),
    fix="Move it to the root of the source (`code/` of an archive).",
    example="src/requirements.txt  # with `source: .`: not read\nrequirements.txt",
)
SHELL = Rule(
    id="shell-entry-with-requirements",
    title="A shell script as entry point, and a requirements.txt",
    severity=Severity.WARNING,
    why=(
        "The toolkit installs requirements.txt for entry points in Python only. With a shell "
        "script the job starts without them."
    ),
    fix="Install them in the script: `pip install -r requirements.txt`.",
    example="#!/bin/sh\npip install -r requirements.txt\npython train.py",
)


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """A requirements.txt that was named or found."""

    path: Path
    requirements: Requirements


def missing(script: Script) -> Iterator[Spot]:
    """Find imports that neither Python, nor the image, nor requirements.txt bring."""
    if not (script.is_job or script.serves) or script.source.is_notebook:
        return
    source = source_of(script)
    if (source / "setup.py").is_file() or (source / "pyproject.toml").is_file():
        return  # the package says itself what it needs
    listed = requirements_in(source)
    image = SERVING if script.serves and not script.is_job else TRAINING
    roots = (*script.import_roots, source)
    needed = list(imports_of(script.program, script.source.path, roots))
    unmatched = listed.names - {name for each in needed for name in distributions_of(each.module)}
    for each in needed:
        if is_known(each.module, image) or listed.is_open:
            continue
        if not listed.names & set(distributions_of(each.module)):
            yield _missing_spot(each, source, is_sure=not unmatched)


def _missing_spot(needed: Import, source: Path, *, is_sure: bool) -> Spot:
    name = distributions_of(needed.module)[0]
    there = (source / REQUIREMENTS).is_file()
    where = f"{REQUIREMENTS} does not list it" if there else f"there is no {REQUIREMENTS}"
    message = f"the PyTorch images do not bring {needed.module}, and {where}"
    severity = None if is_sure else Severity.HINT
    hint = f"add the line `{name}`"
    return Spot(needed.node, message, hint, severity, path=needed.path)


def wrong_name(file: RequirementsFile) -> Iterator[Spot]:
    """Find modules among distributions."""
    for each in file.requirements.listed:
        meant = NOT_DISTRIBUTIONS.get(normal(each.name))
        if meant is not None:
            yield Spot((each.line, each.column), f"{each.name} is no distribution: it is {meant}")


def place(project: Project) -> Iterator[Spot]:
    """Find requirements beside an entry point that lies below its source."""
    for section, run in (("train", project.train), ("serve", project.serve)):
        if run is None or (run.source / REQUIREMENTS).is_file():
            continue
        beside = run.entry_point.parent / REQUIREMENTS
        if beside.is_file():
            line = project.line_of(section, "entry_point")
            message = f"{_relative(beside, project)} is not read: `{section}: source:` is above it"
            yield Spot((line, 1), message, path=project.file)


def shell(project: Project) -> Iterator[Spot]:
    """Find shell scripts that start a job without its requirements."""
    train = project.train
    if train is None or train.entry_point.suffix != ".sh":
        return
    if not (train.source / REQUIREMENTS).is_file() or _installs(train.entry_point):
        return
    line = project.line_of("train", "entry_point")
    message = f"nothing installs {REQUIREMENTS} where {train.entry_point.name} is the entry point"
    yield Spot((line, 1), message, path=project.file)


def source_of(script: Script) -> Path:
    """Return the folder that travels with a script."""
    if script.training is not None:
        return script.training.source
    if script.is_serve_entry and script.project is not None and script.project.serve is not None:
        return script.project.serve.source
    return script.source.path.parent


def requirements_in(source: Path) -> Requirements:
    """Return what the requirements.txt at a source's root lists."""
    file = source / REQUIREMENTS
    return _read(file).requirements if file.is_file() else Requirements()


def read_requirements_file(path: Path) -> RequirementsFile:
    """Read a requirements.txt.

    Raises:
        UnreadableSource: it cannot be read.
    """
    return _read(path)


def _read(path: Path) -> RequirementsFile:
    text = read_bytes(path).decode("utf-8-sig", "replace")
    return RequirementsFile(path, read_requirements(text))


def _installs(entry_point: Path) -> bool:
    try:
        return b"pip install" in read_bytes(entry_point)
    except UnreadableSource:
        return True  # that it is missing is another rule's


def _relative(path: Path, project: Project) -> str:
    return (
        path.relative_to(project.folder).as_posix()
        if path.is_relative_to(project.folder)
        else str(path)
    )


SCRIPT_CHECKS = (Check(MISSING, missing),)
FILE_CHECKS = (Check(WRONG_NAME, wrong_name),)
PROJECT_CHECKS = (Check(PLACE, place), Check(SHELL, shell))
