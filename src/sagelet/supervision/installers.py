"""uv, or pip where there is no uv: what an interpreter lacks, and putting that into a folder."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_INSTALL_S = 900.0
_UV_PLANS = re.compile(
    r"^ \+ (?P<name>[^\s=]+)(?:==(?P<version>\S+?)(?: \(from (?P<url>\S+)\))?| @ (?P<place>\S+))$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Whose packages are looked at, and the environment that the installer runs in."""

    python: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """How a program ended, and what it printed; `text` is its standard error, else its output."""

    exit_code: int
    stdout: str
    text: str


class InstallerFailed(Exception):
    """An installer did not do what it was asked to; the text is its own."""


class Installer(Protocol):
    """Resolves and installs requirements; both raise InstallerFailed."""

    name: str

    async def missing(
        self, interpreter: Interpreter, requirements: Path, constraints: Path
    ) -> list[str]:
        """Return what the interpreter lacks, as exact requirements; it installs nothing."""
        ...

    async def install(self, interpreter: Interpreter, pinned: Path, target: Path) -> None:
        """Install exact requirements into a folder, without what they depend on."""
        ...


class Uv:
    """The quick one."""

    name = "uv"

    def __init__(self, program: str) -> None:
        """Take the path of the program."""
        self._program = program

    async def missing(
        self, interpreter: Interpreter, requirements: Path, constraints: Path
    ) -> list[str]:
        """Ask for a plan."""
        argv = ["--dry-run", "-r", str(requirements), "-c", str(constraints)]
        said = await self._run(interpreter, argv)
        return [_planned(plan) for plan in _UV_PLANS.finditer(said.text)]

    async def install(self, interpreter: Interpreter, pinned: Path, target: Path) -> None:
        """Install into the target."""
        await self._run(interpreter, ["--no-deps", "--target", str(target), "-r", str(pinned)])

    async def _run(self, interpreter: Interpreter, arguments: Sequence[str]) -> Said:
        argv = [self._program, "pip", "install", "--color=never", "--no-progress"]
        return await _insist([*argv, "--python", str(interpreter.python), *arguments], interpreter)


class Pip:
    """The one that is nearly always there."""

    name = "pip"

    async def missing(
        self, interpreter: Interpreter, requirements: Path, constraints: Path
    ) -> list[str]:
        """Ask for a report."""
        argv = ["--dry-run", "--report", "-", "-r", str(requirements), "-c", str(constraints)]
        said = await self._run(interpreter, argv)
        report = json.loads(said.stdout)
        return [_pin(each) for each in report["install"]]

    async def install(self, interpreter: Interpreter, pinned: Path, target: Path) -> None:
        """Install into the target."""
        await self._run(interpreter, ["--no-deps", "--target", str(target), "-r", str(pinned)])

    async def _run(self, interpreter: Interpreter, arguments: Sequence[str]) -> Said:
        argv = [str(interpreter.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
        return await _insist([*argv, "install", "--quiet", *arguments], interpreter)


def find_installer() -> Installer:
    """Return uv where it can be found, on the path or beside this interpreter."""
    program = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    return Uv(program) if program else Pip()


async def said_by(argv: Sequence[str], environ: Mapping[str, str], *, within_s: float) -> Said:
    """Run a program to its end, or kill it when its time is over."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return Said(127, "", f"{argv[0]}: {error.strerror}")
    try:
        out, err = await asyncio.wait_for(process.communicate(), within_s)
    except BaseException as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            return Said(-9, "", f"{argv[0]} did not end within {within_s:g} s")
        raise
    stdout, stderr = out.decode(errors="replace"), err.decode(errors="replace")
    return Said(process.returncode or 0, stdout, stderr.strip() or stdout.strip())


async def _insist(argv: Sequence[str], interpreter: Interpreter) -> Said:
    said = await said_by(argv, interpreter.environ, within_s=_INSTALL_S)
    if said.exit_code:
        raise InstallerFailed(said.text)
    return said


def _planned(plan: re.Match[str]) -> str:
    """Return one line of uv's plan as a requirement."""
    place = plan["url"] or plan["place"]
    return f"{plan['name']} @ {place}" if place else f"{plan['name']}=={plan['version']}"


def _pin(reported: Mapping[str, object]) -> str:
    """Return one entry of pip's report as a requirement (pypa's installation report, version 1)."""
    metadata, download = reported["metadata"], reported["download_info"]
    assert isinstance(metadata, dict)
    assert isinstance(download, dict)
    if reported.get("is_direct"):
        return f"{metadata['name']} @ {download['url']}"
    return f"{metadata['name']}=={metadata['version']}"
