"""What an interpreter has: asked once, and again when something has changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sagelet.errors import ChildFailed
from sagelet.supervision.interpreters import Interpreters

# Answers as a Python would, and counts how often it was asked.
STAND_IN = """\
#!/bin/sh
echo asked >> "$0.asked"
echo '{{"version": "3.11.7 (main)", "base": "/usr/bin/python3", "folders": ["{folder}"],
"packages": [["torch", "2.13.0"]]}}'
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A program that stands in for an interpreter, with a folder of packages."""
    (tmp_path / "site-packages" / "torch-2.13.0.dist-info").mkdir(parents=True)
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(folder=tmp_path / "site-packages"))
    program.chmod(0o755)
    return program


def asked(python: Path) -> int:
    return len(python.with_name("python.asked").read_text().splitlines())


def test_an_interpreter_is_asked_once(tmp_path: Path, python: Path) -> None:
    first = Interpreters(tmp_path / "kept", os.environ).installed(python)
    second = Interpreters(tmp_path / "kept", os.environ).installed(python)
    assert first == second
    assert first.packages == {"torch": "2.13.0"}
    assert first.base == "/usr/bin/python3"
    assert asked(python) == 1


def test_it_is_asked_again_when_a_package_came(tmp_path: Path, python: Path) -> None:
    interpreters = Interpreters(tmp_path / "kept", os.environ)
    interpreters.installed(python)
    (tmp_path / "site-packages" / "numpy-2.0.dist-info").mkdir()
    interpreters.installed(python)
    assert asked(python) == 2


def test_it_is_asked_again_when_it_was_replaced_or_sees_other_packages(
    tmp_path: Path, python: Path
) -> None:
    Interpreters(tmp_path / "kept", os.environ).installed(python)
    os.utime(python, ns=(1, 1))
    Interpreters(tmp_path / "kept", os.environ).installed(python)
    Interpreters(tmp_path / "kept", {**os.environ, "PYTHONPATH": "/x"}).installed(python)
    assert asked(python) == 3


def test_an_answer_that_is_damaged_is_asked_for_again(tmp_path: Path, python: Path) -> None:
    interpreters = Interpreters(tmp_path / "kept", os.environ)
    interpreters.installed(python)
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_text("{")
    interpreters.installed(python)
    assert asked(python) == 2


@pytest.mark.parametrize("answer", ["exit 3", "echo no JSON"])
def test_an_interpreter_that_does_not_answer_cannot_be_used(
    tmp_path: Path, python: Path, answer: str
) -> None:
    python.write_text(f"#!/bin/sh\n{answer}\n")
    with pytest.raises(ChildFailed, match="the interpreter"):
        Interpreters(tmp_path / "kept", os.environ).installed(python)


def test_a_real_interpreter_tells_of_what_runs_here(tmp_path: Path) -> None:
    found = Interpreters(tmp_path / "kept", os.environ).installed(Path(sys.executable))
    assert found.version == sys.version
    assert "pytest" in found.packages
    assert any(folder.endswith("site-packages") for folder in found.folders)
