"""What a job leaves behind: model.tar.gz and output.tar.gz in `<S3OutputPath>/<job>/output/`.

An archive is made in the job's folder and stored whole, so a truncated one is never seen. The
trees of the hosts are merged; where two wrote the same path, the later host's is kept, and the log
says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from sagelet.artifacts import archives
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.trees import members_of
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.domain.training import SecondaryStatus
from sagelet.training.clashes import Clashes
from sagelet.training.order import JobOrder, JobPaths

Uri = S3Uri | FileUri


class Outputs:
    """Stores what a job's hosts left."""

    def __init__(
        self, artifacts: Artifacts, order: JobOrder, paths: JobPaths, say: Callable[[str], None]
    ) -> None:
        """Take the places, and the log to tell of clashes in; nothing is read before `store`."""
        self._artifacts = artifacts
        self._say = say
        self._order = order
        self._packing = paths.packing

    def store(
        self, status: SecondaryStatus, *, models: Mapping[str, Path], outputs: Mapping[str, Path]
    ) -> str | None:
        """Store the hosts' folders, by host; return the model's URI, or None where there is none.

        A completed job's model is stored even if it is empty, a stopped one's only if it is not,
        and a failed one's never; the output always.

        Raises:
            SageletError, OSError: something could not be packed or stored.
        """
        base = child(parse_uri(self._order.output_uri), self._order.name, "output")
        try:
            self._store("output", self._merged("output.tar.gz", outputs), base)
            if status is SecondaryStatus.FAILED:
                return None
            model = self._merged("model.tar.gz", models)
            if model or status is SecondaryStatus.COMPLETED:
                return self._store("model", model, base)
            return None
        finally:
            shutil.rmtree(self._packing, ignore_errors=True)

    def _store(self, what: str, members: Mapping[str, Path], base: Uri) -> str:
        """Store one kind of output, as one archive or as its files; return its URI."""
        if self._order.is_compressed:
            self._packing.mkdir(parents=True, exist_ok=True)
            archive = self._packing / f"{what}.tar.gz"
            archives.pack(self._packing, archive, members=members)
            target = child(base, archive.name)
            self._artifacts.upload(archive, target)
            return str(target)
        for name, path in members.items():
            if path.is_file():
                self._artifacts.upload(path, child(base, what, *name.split("/")))
        return f"{child(base, what)}/"

    def _merged(self, what: str, folders: Mapping[str, Path]) -> dict[str, Path]:
        """The files of all hosts, and the folders that are empty, by their path."""
        clashes = Clashes(what, self._say)
        members: dict[str, Path] = {}
        writers: dict[str, list[str]] = {}
        for host, folder in folders.items():
            for name, path in members_of(folder).items():
                members[name] = path
                if path.is_file():
                    writers.setdefault(name, []).append(host)
        for name, hosts in writers.items():
            if len(hosts) > 1:
                clashes.tell(name, hosts)
        for above in {str(folder) for name in members for folder in PurePosixPath(name).parents}:
            if above in writers:  # a file here is a folder there, which is more
                clashes.tell(above, (*writers[above], "another host"))
                del members[above]
        return {name: path for name, path in members.items() if path.is_file() or _is_empty(path)}


def child(uri: Uri, *parts: str) -> Uri:
    """Return the URI below another."""
    if isinstance(uri, S3Uri):
        return uri.child(*parts)
    return FileUri(uri.path.joinpath(*parts))


def _is_empty(folder: Path) -> bool:
    """Whether a folder has nothing in it."""
    return next(folder.iterdir(), None) is None
