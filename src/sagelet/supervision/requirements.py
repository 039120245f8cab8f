"""What a requirements.txt asks for beyond an interpreter's own packages: installed once, beside it.

    resolve   the installer says what is missing, everything installed being a constraint
    install   exactly that, without dependencies, into a folder of its own
    keep      under the hash of the requirements and of what was installed: the next one finds it

So torch, or anything else that the interpreter has, is never installed again and never replaced; a
requirement that contradicts it fails in the installer's own words.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sagelet.errors import RequirementsFailed
from sagelet.supervision import requirement_files
from sagelet.supervision.installers import (
    Installer,
    InstallerFailed,
    Interpreter,
    find_installer,
    said_by,
)

_LIST_S = 60.0
_INSTALLED = """
import importlib.metadata, json, sys
found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
print(json.dumps([sys.version, sorted((n, v) for n, v in found.items() if n)]))
"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A requirements file, and the interpreter that it is for."""

    file: Path
    python: Path
    packages: Mapping[str, str]
    key: str


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
        self._installer = installer
        self._under_way: dict[str, asyncio.Task[Path]] = {}

    async def ensure(self, python: Path, file: Path, say: Callable[[str], None]) -> Path:
        """Return a folder with what a requirements file asks for; `say` is told what was done.

        Raises:
            RequirementsFailed: it cannot be installed; what was there before is untouched.
        """
        wanted = await self._read(python, file)
        folder = self._root / wanted.key
        if folder.is_dir():
            return folder
        # Whoever wants the same waits for the same; who gives up waiting does not stop it.
        if wanted.key not in self._under_way:
            task = asyncio.create_task(self._make(wanted, folder, say))
            self._under_way[wanted.key] = task
            task.add_done_callback(lambda _: self._under_way.pop(wanted.key))
        return await asyncio.shield(self._under_way[wanted.key])

    async def _read(self, python: Path, file: Path) -> _Wanted:
        text = await asyncio.to_thread(requirement_files.whole_text, file)
        said = await said_by([str(python), "-c", _INSTALLED], self._environ, within_s=_LIST_S)
        if said.exit_code:
            raise RequirementsFailed(path=str(file), said=said.text)
        version, found = json.loads(said.stdout)
        digest = hashlib.sha256(repr((str(python), version, found, text)).encode())
        return _Wanted(file, python, dict(found), digest.hexdigest()[:32])

    async def _make(self, wanted: _Wanted, folder: Path, say: Callable[[str], None]) -> Path:
        begun = perf_counter()
        self._root.mkdir(parents=True, exist_ok=True)
        scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._root, prefix="new-"))
        try:
            installer = self._installer or find_installer()
            say(f"installing {wanted.file.name} with {installer.name}")
            pins = await self._install(wanted, installer, scratch)
            what = ", ".join(pins) or "nothing: all of it is there"
            say(f"installed {what} in {perf_counter() - begun:.1f} s")
            try:
                (scratch / "packages").replace(folder)
            except OSError:
                if not folder.is_dir():  # unless another daemon was quicker
                    raise
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return folder

    async def _install(self, wanted: _Wanted, installer: Installer, scratch: Path) -> list[str]:
        """Fill `scratch/packages`, and return what is in it."""
        constraints = scratch / "installed.txt"
        pinned = scratch / "missing.txt"
        target = scratch / "packages"
        target.mkdir()
        constraints.write_text("".join(f"{n}=={v}\n" for n, v in wanted.packages.items()))
        interpreter = Interpreter(wanted.python, self._environ)
        try:
            pins = await installer.missing(interpreter, wanted.file, constraints)
            if pins:
                options = requirement_files.options(wanted.file)
                pinned.write_text("\n".join([*options, *pins]) + "\n")
                await installer.install(interpreter, pinned, target)
        except InstallerFailed as error:
            raise RequirementsFailed(path=str(wanted.file), said=str(error)) from error
        return pins
