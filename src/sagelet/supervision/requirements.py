"""What a requirements.txt asks for beyond an interpreter's own packages: installed once, beside it.

    resolve   the installer says what is missing, everything installed being a constraint
    install   exactly that, without dependencies, into a folder of its own
    keep      under the hash of the requirements and of what was installed: the next one finds it

So torch, or anything else that the interpreter has, is never installed again and never replaced; a
requirement that contradicts it fails in the installer's own words. The source of a package, with a
setup.py, is one more requirement.

    python -m sagelet.supervision.requirements ROOT PYTHON FILE SOURCE

does the same for a process that has no event loop: it prints lines, of which the last is JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from sagelet.errors import RequirementsFailed
from sagelet.supervision.installers import (
    Installer,
    InstallerFailed,
    Interpreter,
    find_installer,
)
from sagelet.supervision.wanted_packages import PackageFolders, Wanted
from sagelet.worker import libc


class RequirementsCache:
    """Folders of installed packages below `root`.

    `environ` is the machine's; an installer sees it but for the keys to an AWS account. `installer`
    is uv or pip where it is not given.
    """

    def __init__(
        self, root: Path, environ: Mapping[str, str], installer: Installer | None = None
    ) -> None:
        """Begin with what earlier daemons have left there."""
        self._root = root
        self._environ = {k: v for k, v in environ.items() if not k.startswith("AWS_")}
        self._folders = PackageFolders(root, self._environ)
        self._installer = installer
        self._under_way: dict[str, asyncio.Task[Path]] = {}

    async def ensure(
        self,
        python: Path,
        file: Path | None,
        say: Callable[[str], None],
        source: Path | None = None,
    ) -> Path:
        """Return a folder with what a requirements file, or a package's source, asks for.

        `say` is told what was done.

        Raises:
            RequirementsFailed: it cannot be installed; what was there before is untouched.
        """
        wanted = await asyncio.to_thread(self._folders.wanted, python, file, source)
        if wanted.folder.is_dir():
            return wanted.folder
        # Whoever wants the same waits for the same; who gives up waiting does not stop it.
        key = wanted.folder.name
        if key not in self._under_way:
            task = asyncio.create_task(self._make(wanted, say))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    async def _make(self, wanted: Wanted, say: Callable[[str], None]) -> Path:
        begun = perf_counter()
        self._root.mkdir(parents=True, exist_ok=True)
        scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._root, prefix="new-"))
        try:
            installer = self._installer or find_installer()
            say(f"installing {wanted.title} with {installer.name}")
            pins = await self._install(wanted, installer, scratch)
            what = ", ".join(map(_shown, pins)) or "nothing: all of it is there"
            say(f"installed {what} in {perf_counter() - begun:.1f} s")
            try:
                (scratch / "packages").replace(wanted.folder)
            except OSError:
                if not wanted.folder.is_dir():  # unless another daemon was quicker
                    raise
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return wanted.folder

    async def _install(self, wanted: Wanted, installer: Installer, scratch: Path) -> list[str]:
        """Fill `scratch/packages`, and return what is in it."""
        constraints = scratch / "installed.txt"
        pinned = scratch / "missing.txt"
        target = scratch / "packages"
        target.mkdir()
        constraints.write_text("".join(f"{n}=={v}\n" for n, v in wanted.packages.items()))
        interpreter = Interpreter(wanted.python, self._environ)
        try:
            file = await asyncio.to_thread(wanted.written, scratch)
            pins = await installer.missing(interpreter, file, constraints)
            if pins:
                pinned.write_text("\n".join([*wanted.options, *pins]) + "\n")
                await installer.install(interpreter, pinned, target)
        except InstallerFailed as error:
            raise RequirementsFailed(path=str(wanted.path), said=str(error)) from error
        return pins


def _shown(pin: str) -> str:
    """Return a pin for people: of one that has a place, the name."""
    return pin.partition(" @ ")[0]


async def _install_once(root: Path, python: Path, file: Path | None, source: Path | None) -> int:
    # Our own path is this process's alone: neither an interpreter nor an installer is to see it.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    cache = RequirementsCache(root, environ)
    try:
        folder = await cache.ensure(python, file, _say, source)
    except RequirementsFailed as error:
        _say(json.dumps({"said": error.said}))
        return 1
    _say(json.dumps({"folder": str(folder)}))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Install for the process that started this one, and not without it."""
    libc.die_with(os.getppid())
    root, python, file, source = sys.argv[1:]
    return asyncio.run(
        _install_once(
            Path(root), Path(python), Path(file) if file else None, Path(source) if source else None
        )
    )


if __name__ == "__main__":
    sys.exit(main())
