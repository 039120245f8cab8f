"""What a job's source asks to be installed: from the cache, or by a process that installs it.

The cache is the one of serving. To look there takes a millisecond; only what is not there yet costs
a process, which is ended with the job's own when the job is stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagelet.errors import RequirementsFailed
from sagelet.supervision.wanted_packages import PackageFolders
from sagelet.training.order import Places

_NOT_ITS_OWN = ("PYTHONPATH",)
"""Variables of this process that an installer, or an interpreter that is asked, must not see."""


@dataclass(frozen=True, slots=True)
class JobPackages:
    """A requirements file, the source of a package with a setup.py, or both."""

    file: Path | None
    source: Path | None = None

    @property
    def error_name(self) -> str:
        """The toolkit's name for the error that it is when they cannot be installed."""
        return "InstallModuleError" if self.source is not None else "InstallRequirementsError"

    @property
    def arguments(self) -> str:
        """Those of pip, as the toolkit gives them."""
        source = [] if self.source is None else ["."]
        return " ".join(
            ["-m pip install", *source, *(["-r requirements.txt"] if self.file else [])]
        )

    @property
    def title(self) -> str:
        """What is installed, for people."""
        return "the source as a package" if self.source is not None else "requirements.txt"


def find(packages: JobPackages, places: Places) -> Path | None:
    """Return the folder that has them already, if there is one.

    Raises:
        RequirementsFailed: the interpreter does not answer, or the file is no text.
    """
    folders = PackageFolders(Path(places.packages), _environ(os.environ))
    wanted = folders.wanted(Path(places.python), packages.file, packages.source)
    return wanted.folder if wanted.folder.is_dir() else None


def install(packages: JobPackages, places: Places, say: Callable[[str], None]) -> Path:
    """Install them; `say` is told what is done.

    Raises:
        RequirementsFailed: they cannot be installed.
    """
    argv = [sys.executable, "-P", "-m", "sagelet.supervision.requirements"]
    argv += [places.packages, places.python, str(packages.file or ""), str(packages.source or "")]
    with subprocess.Popen(
        argv,
        env={**_environ(os.environ), "PYTHONPATH": places.package_path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            return _followed(process, packages, say)
        except BaseException:  # a stop, most of all
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _followed(
    process: subprocess.Popen[str], packages: JobPackages, say: Callable[[str], None]
) -> Path:
    """Pass on what an installing process says, and return what its last line tells."""
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        if last:
            say(last)
        last = line.rstrip("\n")
    code = process.wait()
    try:
        told = json.loads(last)
        if code == 0:
            return Path(told["folder"])
        said = str(told["said"])
    except (ValueError, KeyError, TypeError):
        said = last or f"the installer ended with exit code {code}"
    raise RequirementsFailed(path=str(packages.file or packages.source), said=said)


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in _NOT_ITS_OWN}
