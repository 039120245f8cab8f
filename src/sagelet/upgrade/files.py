"""A source's file, written anew: in one move, with its mode, encoding and byte order mark."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sagelet.errors import PathNotFound, SourceChanged, SourceNotWritten
from sagelet.upgrade.cells import as_script
from sagelet.upgrade.notebook_text import with_cells
from sagelet.upgrade.rewriting import Upgraded
from sagelet.upgrade.sources import NOTEBOOK, Source, read_bytes, source_of

_FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages"})
_MARK = "\ufeff".encode()


def new_content(source: Source, upgraded: Upgraded, content: bytes) -> bytes:
    """Return what a source's file holds after an upgrade, from what it holds now.

    Raises:
        SourceNotWritten: the file's own encoding has no word for what is new.
    """
    if upgraded.cells is not None:
        mark = _MARK if content.startswith(_MARK) else b""
        return mark + with_cells(content.decode("utf-8-sig"), upgraded.cells).encode()
    try:
        encoded = upgraded.text.encode(source.encoding.removesuffix("-sig"))
    except UnicodeEncodeError as error:
        reason = f"{source.encoding} has no {error.object[error.start]!r}"
        raise SourceNotWritten(path=str(source.path), reason=reason) from error
    return (_MARK if source.has_bom else b"") + encoded


def as_one_script(source: Source) -> Source:
    """Return a notebook as a script: its cells one below the other, its magics as comments."""
    if source.cells is None:
        return source
    return source_of(source.path, as_script([each.text for each in source.cells]))


def write_script(path: Path, upgraded: Upgraded) -> None:
    """Write what an upgrade makes of a script to another file.

    Raises:
        SourceNotWritten: it cannot be written.
    """
    try:
        path.write_bytes(upgraded.text.encode())
    except OSError as error:
        raise SourceNotWritten(path=str(path), reason=error.strerror or str(error)) from error


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put new content in place of a file's, if that is still what it was.

    Raises:
        SourceChanged: somebody has written to the file meanwhile.
        SourceNotWritten: it cannot be written.
    """
    target = path.resolve()  # a link stays one
    try:
        mode = target.stat().st_mode
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode & 0o7777)
                file.write(after)
            if read_bytes(target) != before:
                raise SourceChanged(path=str(path), reason="somebody has changed it meanwhile")
            Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise SourceNotWritten(path=str(path), reason=error.strerror or str(error)) from error


def files_of(path: Path) -> list[Path]:
    """Return the scripts and notebooks of a folder, or the file that is named.

    Folders that are nobody's own (environments, hidden ones, `node_modules`) are passed over.

    Raises:
        PathNotFound: there is no such file or folder.
    """
    if not path.exists():
        raise PathNotFound(str(path))
    if not path.is_dir():
        return [path]
    found = []
    for root, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not _is_foreign(Path(root, name)))
        found += [Path(root, name) for name in sorted(names) if name.endswith((".py", NOTEBOOK))]
    return found


def _is_foreign(folder: Path) -> bool:
    if folder.name in _FOREIGN or folder.name.startswith("."):
        return True
    return (folder / "pyvenv.cfg").exists()
