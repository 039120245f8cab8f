"""What a runner imports: little, since every job waits for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sagelet.supervision import package_path
from sagelet.training import libraries

TOO_HEAVY = {
    "argparse",
    "asyncio",
    "boto3",
    "botocore",
    "logging",
    "numpy",
    "psutil",
    "pydantic",
    "sqlite3",
    "starlette",
    "torch",
    "watchfiles",
}


def test_a_runner_needs_neither_site_packages_nor_what_takes_long_to_import(
    tmp_path: Path,
) -> None:
    printed = subprocess.run(
        [
            sys.executable,
            *("-P", "-S", "-c"),
            "import sagelet.training.runner, sys; print(*sys.modules)",
        ],
        env={"PYTHONPATH": str(package_path.ensure(tmp_path / "pythonpath"))},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(printed.split()) & TOO_HEAVY == set()


def test_a_runner_finds_what_packs_archives_once_it_looks_for_it(tmp_path: Path) -> None:
    program = """
import sys
from sagelet.training import libraries
before = list(sys.path)
libraries.reach(sys.argv[1])
libraries.reach(sys.argv[1])
assert sys.path[: len(before)] == before
assert len(sys.path) == len(before) + 1
from isal import isal_zlib
"""
    subprocess.run(
        [sys.executable, "-P", "-S", "-c", program, libraries.folder()],
        env={"PYTHONPATH": str(package_path.ensure(tmp_path / "pythonpath"))},
        check=True,
    )
