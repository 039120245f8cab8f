"""What an interpreter is and has installed, asked of it once and then kept.

To ask means to start it, which takes 0.1 s; so the answer lies beside the installed packages until
the interpreter, or what is installed for it, changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sagelet.errors import ChildFailed
from sagelet.worker import installed

_WITHIN_S = 60.0
_ASK = """
import importlib.metadata, json, os, sys
found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
print(json.dumps({
    "version": sys.version,
    "base": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "folders": [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))],
    "packages": sorted((n, v) for n, v in found.items() if n),
}))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """An interpreter's version, the executable under its virtual environment, and its packages.

    `folders` are where the packages are, in the order of its path.
    """

    version: str
    base: str
    folders: tuple[str, ...]
    packages: Mapping[str, str]

    @classmethod
    def told(cls, raw: Mapping[str, Any]) -> Installed:
        """Read an interpreter's answer."""
        return cls(raw["version"], raw["base"], tuple(raw["folders"]), dict(raw["packages"]))


class Interpreters:
    """Answers that are kept in `root`; `environ` is what an interpreter is started with."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        """Begin with what is kept there."""
        self._root = root
        self._environ = environ

    def installed(self, python: Path) -> Installed:
        """Return what an interpreter has.

        Raises:
            ChildFailed: it cannot be run.
        """
        path = os.path.abspath(python)  # noqa: PTH100 - a virtual environment's link stays one
        file = self._root / f"{hashlib.sha256(path.encode()).hexdigest()[:32]}.json"
        kept = self._kept(file, path)
        if kept is not None:
            return kept
        answer = self._ask(path)
        found = Installed.told(answer)
        self._keep(file, {"stamp": self._stamp(path, found.folders), "installed": asdict(found)})
        return found

    def _kept(self, file: Path, path: str) -> Installed | None:
        """Return the answer that is kept, where it still holds."""
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            found = Installed.told(document["installed"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if document["stamp"] == self._stamp(path, found.folders) else None

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            done = subprocess.run(
                [path, "-c", _ASK],
                env=self._environ,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_WITHIN_S,
                check=True,
            )
            answer: dict[str, Any] = json.loads(done.stdout)
        except subprocess.CalledProcessError as error:
            raise ChildFailed(what=f"the interpreter {path}", log_tail=error.stderr) from error
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise ChildFailed(what=f"the interpreter {path}", log_tail=str(error)) from error
        return answer

    def _stamp(self, path: str, folders: tuple[str, ...]) -> list[object]:
        """Return what changes when an interpreter, or what is installed for it, does."""
        config = os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")  # noqa: PTH118, PTH120 - beside the link
        return [
            path,
            self._environ.get("PYTHONPATH", ""),
            *(_changed_ns(part) for part in (path, config)),
            installed.fingerprint(folders),
        ]

    def _keep(self, file: Path, document: Mapping[str, object]) -> None:
        """Write an answer down; without room for it, the interpreter is asked again next time."""
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._root.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(document), encoding="utf-8")
            partial.replace(file)


def _changed_ns(path: str) -> int:
    """Return when a file (of a link, what it leads to) was last changed; 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - plain strings throughout
    except OSError:
        return 0
