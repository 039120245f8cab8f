"""What a job or an endpoint reads and writes by URI, whether it lies in a bucket or in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sagelet.artifacts.disk import FOLDER_MODE, copy_file, disk_errors, random_name
from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.trees import members_of
from sagelet.artifacts.uris import FileUri, S3Uri
from sagelet.errors import BucketNotFound, InvalidRequest, KeyNotFound, ModelDataMissing

Uri = S3Uri | FileUri


class Artifacts:
    """Reads and writes URIs on this machine. S3 URIs mean our buckets, never AWS's."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def local_path(self, uri: Uri) -> Path:
        """Return the file or the folder that a URI means; ModelDataMissing where there is none.

        It is the original, so it must not be written to: copy it first.
        """
        path = uri.path if isinstance(uri, FileUri) else self._stored_path(uri)
        if path is None or not path.exists():
            raise ModelDataMissing(uri=str(uri))
        return path

    def is_folder(self, uri: Uri) -> bool:
        """Tell whether a URI means a folder; ModelDataMissing where there is nothing."""
        return self.local_path(uri).is_dir()

    def holds(self, uri: Uri) -> bool:
        """Tell whether a URI, an S3 one taken as a prefix, names anything at all."""
        return next(self._named_by(uri), None) is not None

    def takes(self, uri: Uri) -> bool:
        """Tell whether something can be uploaded to a URI: for an S3 one, its bucket is there."""
        if isinstance(uri, FileUri):
            return True
        return any(bucket.name == uri.bucket for bucket in self._buckets.list_buckets())

    def copy_prefix(self, uri: Uri, into: Path) -> int:
        """Copy all that a URI names into a folder, and return the number of files.

        An S3 URI is a prefix, as it is for a training channel: it takes in `data/train/x` and
        `data/train.csv` where it ends with `data/train`, as `x` and `train.csv`. ModelDataMissing
        where it names nothing; InvalidRequest for keys that cannot be files in one tree (`..` in
        them, or both `a` and `a/b`).
        """
        wanted = dict(self._named_by(uri))
        if not wanted:
            raise ModelDataMissing(uri=str(uri))
        with disk_errors(into):
            into.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            for name, source in wanted.items():
                _copy_into(into, name, source)
        return sum(source is not None for source in wanted.values())

    def upload(self, path: Path, uri: Uri) -> None:
        """Store a file under a URI, or a folder's files under a prefix; each appears whole."""
        if not path.is_dir():
            self._store(path, uri)
            return
        for name, source in members_of(path).items():
            if source.is_file():
                self._store(source, _child(uri, name))

    def _store(self, source: Path, uri: Uri) -> None:
        if isinstance(uri, S3Uri):
            self._buckets.put(uri.bucket, uri.key, source)
            return
        with disk_errors(uri.path):
            uri.path.parent.mkdir(parents=True, exist_ok=True)
            draft = uri.path.with_name(f".{uri.path.name}.{random_name()}")
            try:
                copy_file(source, draft)
                draft.replace(uri.path)
            finally:
                draft.unlink(missing_ok=True)

    def _stored_path(self, uri: S3Uri) -> Path | None:
        try:
            if uri.key and not uri.key.endswith("/"):
                try:
                    return self._buckets.path(uri.bucket, uri.key)
                except KeyNotFound:
                    return self._buckets.folder(uri.bucket, f"{uri.key}/")
            return self._buckets.folder(uri.bucket, uri.key)
        except BucketNotFound:
            return None

    def _named_by(self, uri: Uri) -> Iterator[tuple[str, Path | None]]:
        """Yield relative names, and the files to copy; None for a folder."""
        if isinstance(uri, S3Uri):
            yield from self._keys(uri)
        elif uri.path.is_dir():
            for name, source in members_of(uri.path).items():
                yield name, None if source.is_dir() else source
        elif uri.path.is_file():
            yield uri.path.name, uri.path

    def _keys(self, uri: S3Uri) -> Iterator[tuple[str, Path | None]]:
        after = ""
        while True:
            try:
                page = self._buckets.list(uri.bucket, uri.key, after=after)
            except BucketNotFound:
                return
            for stored in page.objects:
                with suppress(KeyNotFound):  # it was removed since it was listed
                    path = self._buckets.path(uri.bucket, stored.key)
                    name = _relative(stored.key, uri.key)
                    yield name, None if name.endswith("/") or not name else path
            after = page.next_after
            if not after:
                return


def _relative(key: str, prefix: str) -> str:
    """Return a key's name below a prefix that may or may not end with `/`."""
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _copy_into(folder: Path, name: str, source: Path | None) -> None:
    """Copy one file to its name below a folder, or make a folder of that name."""
    parts = [part for part in name.split("/") if part]
    if any(part in (".", "..") or "\0" in part for part in parts):
        raise InvalidRequest(f"The key {name!r} cannot be a file's name.")
    target = folder.joinpath(*parts)
    try:
        parent = target.parent if source else target
        parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if source:
            copy_file(source, target)
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidRequest(f"{name!r} is in the way of another file of that name.") from error


def _child(uri: Uri, name: str) -> Uri:
    return uri.child(name) if isinstance(uri, S3Uri) else FileUri(uri.path / name)
