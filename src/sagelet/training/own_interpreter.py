"""An interpreter of the job's own, over the project's: what a literal command finds on its PATH.

    environment/pyvenv.cfg
    environment/bin/{python,python3,pip,pip3,torchrun}      and the project's own commands
    environment/lib/python3.11/site-packages/project.pth    adds all that the project has

The drivers of SageMaker SDK v3 look for `python3` and `pip` on PATH, and install requirements with
pip. In a virtual environment of the job's own they change nothing but that: pip counts what the
project has as installed, puts what is missing (or must be newer) here, and removes nothing outside.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from sagelet.supervision.interpreters import Installed

_MODULES = {"pip": "pip", "pip3": "pip", "torchrun": "torch.distributed.run"}
_INTERPRETER = re.compile(r"(python|pypy)[\d.]*(-config)?|activate.*|Activate.*", re.IGNORECASE)
_LARGEST_SCRIPT = 16384
_FIRST_BYTES = 512


def make(folder: Path, python: Path, installed: Installed) -> Path:
    """Make the environment in a folder; return the folder of its commands.

    Raises:
        OSError: there is no room for it.
    """
    commands = folder / "bin"
    version = ".".join(installed.version.split()[0].split(".")[:2])
    packages = folder / "lib" / f"python{version}" / "site-packages"
    commands.mkdir(parents=True)
    packages.mkdir(parents=True)
    base = Path(installed.base)
    own = commands / "python3"
    own.symlink_to(base)
    (commands / "python").symlink_to("python3")
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n"
        f"version = {installed.version.split()[0]}\n"
    )
    added = "; ".join(f"site.addsitedir({place!r})" for place in installed.folders)
    (packages / "project.pth").write_text(f"import site; {added}\n" if added else "")
    for name, module in _MODULES.items():
        _write(commands / name, f'#!/bin/sh\nexec {shlex.quote(str(own))} -m {module} "$@"\n')
    _take_over(python.parent, commands, own)
    return commands


def _take_over(theirs: Path, commands: Path, own: Path) -> None:
    """Give the project's commands that are Python scripts (accelerate, say) our interpreter."""
    marks = tuple(f"#!{theirs / name}".encode() for name in ("python", "python3"))
    for entry in os.scandir(theirs):
        if _INTERPRETER.fullmatch(entry.name) or (commands / entry.name).exists():
            continue
        if not entry.is_file() or entry.stat().st_size > _LARGEST_SCRIPT:
            continue
        with open(entry.path, "rb") as file:  # noqa: PTH123 - there may be a thousand of them
            if file.read(_FIRST_BYTES).startswith(marks):
                _, _, rest = Path(entry.path).read_bytes().partition(b"\n")
                _write(commands / entry.name, os.fsencode(_first_line(own)) + rest)


def _first_line(python: Path) -> str:
    """Return a first line for a script; the system takes only short ones, without spaces."""
    limit = 127 if sys.platform == "linux" else 512
    line = f"#!{python}"
    if len(line) <= limit and " " not in line:
        return f"{line}\n"
    return f"#!/bin/sh\n'''exec' {shlex.quote(str(python))} \"$0\" \"$@\"\n' '''\n"


def _write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o755)
