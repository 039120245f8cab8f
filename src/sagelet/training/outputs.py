"""What a job leaves behind: model.tar.gz and output.tar.gz in `<S3OutputPath>/<job>/output/`.

An archive is made in the job's folder and stored whole, so a truncated one is never seen. The
trees of the hosts are merged; where two wrote the same path, the later host's is kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sagelet.artifacts import archives
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.trees import members_of
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.domain.training import SecondaryStatus
from sagelet.training.order import JobOrder, JobPaths

Uri = S3Uri | FileUri


class Outputs:
    """Stores what a job's hosts left."""

    def __init__(self, artifacts: Artifacts, order: JobOrder, paths: JobPaths) -> None:
        """Take the places; nothing is read before `store`."""
        self._artifacts = artifacts
        self._order = order
        self._packing = paths.packing

    def store(
        self, status: SecondaryStatus, *, models: Sequence[Path], outputs: Sequence[Path]
    ) -> str | None:
        """Store the folders of all hosts; return the model's URI, or None where there is none.

        A completed job's model is stored even if it is empty, a stopped one's only if it is not,
        and a failed one's never; the output always.

        Raises:
            SageletError, OSError: something could not be packed or stored.
        """
        base = child(parse_uri(self._order.output_uri), self._order.name, "output")
        try:
            self._store("output", outputs, base)
            model = _merged(models)
            if status is SecondaryStatus.COMPLETED or (
                model and status is not SecondaryStatus.FAILED
            ):
                return self._store("model", models, base)
            return None
        finally:
            shutil.rmtree(self._packing, ignore_errors=True)

    def _store(self, what: str, folders: Sequence[Path], base: Uri) -> str:
        """Store one kind of output, as one archive or as its files; return its URI."""
        members = _merged(folders)
        if self._order.is_compressed:
            self._packing.mkdir(parents=True, exist_ok=True)
            archive = self._packing / f"{what}.tar.gz"
            archives.pack(folders[0], archive, members=members)
            target = child(base, archive.name)
            self._artifacts.upload(archive, target)
            return str(target)
        for name, path in members.items():
            if path.is_file():
                self._artifacts.upload(path, child(base, what, *name.split("/")))
        return f"{child(base, what)}/"


def child(uri: Uri, *parts: str) -> Uri:
    """Return the URI below another."""
    if isinstance(uri, S3Uri):
        return uri.child(*parts)
    return FileUri(uri.path.joinpath(*parts))


def _merged(folders: Sequence[Path]) -> dict[str, Path]:
    """The files of all folders, and the folders that are empty, by their path."""
    members: dict[str, Path] = {}
    for folder in folders:
        members |= members_of(folder)
    return {name: path for name, path in members.items() if path.is_file() or _is_empty(path)}


def _is_empty(folder: Path) -> bool:
    """Whether a folder has nothing in it."""
    return next(folder.iterdir(), None) is None
