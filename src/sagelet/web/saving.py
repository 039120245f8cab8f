"""Payloads that become examples: written into the project that an endpoint is served from.

<project>/.sagelet/<environment>/model    is links into <project>: tests/payloads there
any other folder of the user's own        its tests/payloads or examples, else examples in `code/`
an archive that was unpacked              belongs to nobody: nothing is written
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sagelet.domain.media import suffix_of
from sagelet.errors import EndpointNotInService
from sagelet.web.backend import Backend
from sagelet.web.faults import Refused

_WORKING = ".sagelet"
_PAYLOADS = "tests/payloads"
_PLACES = (f"code/{_PAYLOADS}", "code/examples", _PAYLOADS, "examples")
_NAME = re.compile(r"\w[\w .-]{0,79}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_ANSWER = ".answer"
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class ExamplesFolder:
    """Where an endpoint's examples go; `project` is what paths are shown from."""

    path: Path
    project: Path

    def shown(self, file: Path) -> str:
        """Return a file as the project's owner calls it."""
        return (
            str(file.relative_to(self.project)) if file.is_relative_to(self.project) else file.name
        )


def examples_folder(backend: Backend, endpoint: str) -> ExamplesFolder | None:
    """Return where examples of an endpoint go; None unless somebody's own folder is served."""
    try:
        root = backend.host.model_folder(endpoint).resolve()
    except EndpointNotInService:
        return None
    if root.is_relative_to(backend.home.root.resolve()) or not root.is_dir():
        return None
    if root.parent.parent.name == _WORKING:
        project = root.parent.parent.parent
        return ExamplesFolder(project / _PAYLOADS, project)
    found = next((root / place for place in _PLACES if (root / place).is_dir()), None)
    if found is None:
        found = root / ("code/examples" if (root / "code").is_dir() else "examples")
    return ExamplesFolder(found, root)


def save_example(folder: ExamplesFolder, name: str, body: bytes, content_type: str) -> Path:
    """Write a payload; return its file. One of the same name and content is left as it is.

    Raises:
        Refused: 400 for a name that is none for a file, 409 for one that is taken.
    """
    file = folder.path / file_name(name, content_type)
    folder.path.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".sagelet-", dir=folder.path)
    try:
        with os.fdopen(handle, "wb") as written:
            written.write(body)
        Path(temporary).chmod(_MODE)
        # A link, unlike a rename, does not replace what another has just saved.
        os.link(temporary, file)
    except FileExistsError as error:
        if file.is_file() and file.read_bytes() == body:
            return file
        raise Refused(409, f"there is a {file.name} already: choose another name") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return file


def file_name(name: str, content_type: str) -> str:
    """Return the name of an example's file, with the suffix of its type.

    Raises:
        Refused: 400; it could lead elsewhere, or no file can be called so.
    """
    suffix = suffix_of(content_type)
    stem = name.strip().removesuffix(suffix)
    is_name = _NAME.fullmatch(stem) and ".." not in stem and not stem.endswith((".", " "))
    if not is_name or _RESERVED.fullmatch(stem.partition(".")[0]) or stem.endswith(_ANSWER):
        raise Refused(
            400, "an example's name has letters, digits, spaces, dots, - and _, and no folders"
        )
    return f"{stem}{suffix}"
