"""The environment of a literal command: an interpreter over the project's, and its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagelet.supervision.interpreters import Installed
from sagelet.training import own_interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's interpreter, with a package and with commands of several kinds."""
    commands = tmp_path / "project" / "bin"
    commands.mkdir(parents=True)
    python = commands / "python"
    python.symlink_to(sys.executable)
    (commands / "python3").symlink_to("python")
    packages = tmp_path / "project" / "site-packages"
    packages.mkdir()
    (packages / "brought.py").write_text("WORD = 'brought'\n")
    (packages / "more.pth").write_text("import sys; sys.from_a_pth = True\n")
    for name, text in {
        "launch": f"#!{python}\nimport sys\nprint(sys.prefix)\n",
        "launch3": f"#!{commands / 'python3'}\n",
        "other": "#!/usr/bin/env perl\n",
        "binary": "\x7fELF",
        "activate": f"#!{python}\n",
    }.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    return python


def installed(project: Path) -> Installed:
    folders = (str(project.parents[1] / "site-packages"),)
    return Installed(sys.version, os.path.realpath(sys.executable), folders, {})


def said_by(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, env={}).stdout.strip()


def test_it_has_the_projects_packages_and_installs_beside_them(
    tmp_path: Path, project: Path
) -> None:
    folder = tmp_path / "own"
    commands = own_interpreter.make(folder, project, installed(project))
    ask = "import brought, sys, sysconfig; print(sys.prefix, brought.WORD, sys.from_a_pth, {})"
    where = "sysconfig.get_path('purelib')"
    prefix, word, pth, purelib = said_by(commands / "python3", "-c", ask.format(where)).split()
    assert (prefix, word, pth) == (str(folder), "brought", "True")
    assert Path(purelib).is_relative_to(folder)
    assert said_by(commands / "python", "-c", "print(1)") == "1"


def test_the_projects_python_commands_run_in_it(tmp_path: Path, project: Path) -> None:
    commands = own_interpreter.make(tmp_path / "own", project, installed(project))
    assert said_by(commands / "launch") == str(tmp_path / "own")
    made = {path.name for path in commands.iterdir()}
    assert made == {"python", "python3", "pip", "pip3", "torchrun", "launch", "launch3"}


def test_a_place_that_no_first_line_can_name_works_all_the_same(
    tmp_path: Path, project: Path
) -> None:
    for name in ("with a space", "long" * 40):
        folder = tmp_path / name / "own"
        commands = own_interpreter.make(folder, project, installed(project))
        assert said_by(commands / "launch") == str(folder)
