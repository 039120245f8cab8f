"""What `sagelet check` finds in a model: its archive or folder, and the scripts in its `code/`.

Nothing is imported or unpickled. A check runs in a thread; a page waits for it a moment, and asks
again. What was found is kept as long as the model is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from sagelet.artifacts.files import Artifacts, Uri
from sagelet.artifacts.tarstream import RefusedTar
from sagelet.artifacts.uris import FileUri
from sagelet.errors import SageletError
from sagelet.web.trees import BEGINNING_BYTES, files_of, read_archived

PATIENCE_S = 1.0
FILES_AT_MOST = 200
_LOOKED_THROUGH = 10_000
_KEPT = 16
_SCRIPTS = (".py", ".ipynb", ".sh", ".txt")
_CODE = "code/"


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: `place` is `file:line`, `why` and `fix` are the rule's."""

    severity: str
    rule: str
    place: str
    message: str
    hint: str
    why: str
    quote: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found; `problem` says why nothing could be looked at."""

    found: tuple[Found, ...] = ()
    files: int = 0
    problem: str = ""


_Key: TypeAlias = tuple[str, tuple[tuple[str, int, int], ...]]


class ModelChecks:
    """Checks models, each once."""

    def __init__(self, artifacts: Artifacts, work: Path) -> None:
        """Lay scripts out below `work` while they are checked."""
        self._artifacts = artifacts
        self._work = work
        self._known: OrderedDict[_Key, asyncio.Task[CheckReport]] = OrderedDict()

    async def report(self, uri: Uri, program: str) -> CheckReport | None:
        """Return what is found in a model; None while it is being looked at.

        Raises:
            ModelDataMissing: nothing is there.
        """
        key = await asyncio.to_thread(self._key, uri)
        if key not in self._known:
            work = asyncio.to_thread(self._check, uri, program)
            self._known[key] = asyncio.get_running_loop().create_task(work)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        checking = self._known[key]
        done, _ = await asyncio.wait([checking], timeout=PATIENCE_S)
        if not done:
            return None
        if checking.exception() is not None:
            self._known.pop(key, None)  # the disk may be full, say: it is tried again
        return checking.result()

    def _key(self, uri: Uri) -> _Key:
        if not self._artifacts.is_folder(uri):
            status = self._artifacts.local_path(uri).stat()
            return str(uri), (("", status.st_size, status.st_mtime_ns),)
        files = islice(files_of(self._artifacts, uri), _LOOKED_THROUGH)
        return str(uri), tuple(
            (name, status.st_size, status.st_mtime_ns)
            for name, status in ((name, path.stat()) for name, path in files if path.is_file())
        )

    def _check(self, uri: Uri, program: str) -> CheckReport:
        # The rules are loaded when somebody looks at a model: most daemons never need them.
        from sagelet.upgrade.catalogue import RULES  # noqa: PLC0415
        from sagelet.upgrade.checking import check_paths  # noqa: PLC0415
        from sagelet.upgrade.projects import Project, Serving  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix=".checking-", dir=self._work) as folder:
            work = Path(folder).resolve()
            has_code = self._lay_out(uri, work)
            source = work / "code"
            paths = [source] if has_code else []
            model = None
            if isinstance(uri, FileUri) or not self._artifacts.is_folder(uri):
                model = self._artifacts.local_path(uri).resolve()
                paths = [model, *paths]
            if not paths:
                return CheckReport()
            serving = Serving(source, source / Path(program or "inference.py").name, model)
            try:
                report = check_paths(paths, Project(folder=work, serve=serving))
            except SageletError as error:
                return CheckReport(problem=str(error))
            found = tuple(
                Found(
                    severity=each.severity.value,
                    rule=each.rule,
                    place=f"{_shown(each.path, work, model)}:{each.line}",
                    message=each.message,
                    hint=each.hint,
                    why=RULES[each.rule].why,
                    quote=report.quotes.get(each, "").strip()[:300],
                )
                for each in report.findings
            )
        return CheckReport(found, len(report.files))

    def _lay_out(self, uri: Uri, work: Path) -> bool:
        """Write the model's scripts into a folder of ours; tell whether there are any."""
        has_any = False
        for name, content in islice(_scripts(self._artifacts, uri), FILES_AT_MOST):
            path = work / name
            with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
                # Both `a` and `a/b` may be named: what is refused is told by the archive's check.
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                has_any = True
        return has_any


def _scripts(artifacts: Artifacts, uri: Uri) -> Iterator[tuple[str, bytes]]:
    if artifacts.is_folder(uri):
        for name, path in islice(files_of(artifacts, uri), _LOOKED_THROUGH):
            if _is_script(name) and path.is_file() and path.stat().st_size <= BEGINNING_BYTES:
                yield name, path.read_bytes()
        return
    try:
        for name, size_bytes, content in read_archived(artifacts.local_path(uri), _is_script):
            if size_bytes <= BEGINNING_BYTES:
                yield name, content
    except RefusedTar:
        return  # the archive's own check says why


def _is_script(name: str) -> bool:
    return name.startswith(_CODE) and name.endswith(_SCRIPTS)


def _shown(path: Path, work: Path, model: Path | None) -> str:
    if path.is_relative_to(work):
        return path.relative_to(work).as_posix()
    if model is not None and path.is_relative_to(model):
        return model.name if path == model else path.relative_to(model).as_posix()
    return path.name
