from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sagelet.cli.main import COMMANDS, cli, main


def test_help_fits_a_screen_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) <= 54
    assert all(f"  {name} " in out for name in COMMANDS)


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["deplyo"]) == 2
    assert "no command 'deplyo'; did you mean 'deploy'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_that_says_the_same_as_the_table(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", name]) == 0
    out = capsys.readouterr().out
    assert f"Usage: sagelet {name}" in out
    assert len(out.splitlines()) <= 60
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help


def test_init_writes_a_project_and_keeps_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.py").write_text("mine")
    assert main(["init", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kept"] == ["train.py"]
    assert sorted(said["written"]) == [".sagemakerignore", "sagelet.yml", "serve.py"]
    assert (tmp_path / "train.py").read_text() == "mine"


@pytest.mark.parametrize(
    "module", ["torch", "boto3", "botocore", "pydantic", "uvicorn", "rich", "sagelet.deploy"]
)
def test_the_help_imports_nothing_heavy(module: str) -> None:
    code = (
        "import sys; from sagelet.cli.main import main; main(['--help']); "
        f"sys.exit({module!r} in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0, f"{module} was imported"


def test_the_help_takes_less_than_150_ms_of_a_core() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "sagelet", "--help"], capture_output=True, check=True, timeout=30
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.15


def test_a_closed_standard_output_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m sagelet --help | true", shell=True, capture_output=True, timeout=30
    )
    assert done.stderr == b""
