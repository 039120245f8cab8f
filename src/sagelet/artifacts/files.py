"""What a job or an endpoint reads and writes by URI, whether it lies in a bucket or in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sagelet.artifacts.disk import copy_file, disk_errors, random_name
from sagelet.artifacts.keys import MARK
from sagelet.artifacts.object_store import FoundObject, ObjectStore
from sagelet.artifacts.trees import members_of
from sagelet.artifacts.uris import FileUri, S3Uri
from sagelet.artifacts.views import Tree
from sagelet.errors import BucketNotFound, KeyNotFound, ModelDataMissing

Uri = S3Uri | FileUri


class Named(NamedTuple):
    """What a URI takes in: a name below it, and what lies there; None for a folder."""

    name: str
    found: FoundObject | None


class Artifacts:
    """Reads and writes URIs. S3 URIs mean the buckets of one store, and `file://` this machine.

    A bucket that this store does not have is missing; it is never looked for in another.
    """

    def __init__(self, buckets: ObjectStore) -> None:
        """Use these buckets: `objects.Buckets` of this machine, or `s3.AwsBuckets`."""
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
        if isinstance(uri, FileUri):
            return self.local_path(uri).is_dir()
        try:
            return self._is_prefix(uri)
        except BucketNotFound as error:
            raise ModelDataMissing(uri=str(uri)) from error

    def _is_prefix(self, uri: S3Uri) -> bool:
        key = uri.key
        if key and not key.endswith("/"):
            if self._buckets.has_key(uri.bucket, key):
                return False
            key = f"{key}/"
        if self._buckets.folder(uri.bucket, key) is not None:
            return True
        if next(self._buckets.find(uri.bucket, key), None) is None:
            raise ModelDataMissing(uri=str(uri))
        return True

    def holds(self, uri: Uri) -> bool:
        """Tell whether a URI, an S3 one taken as a prefix, names anything at all."""
        return next(self.named_by(uri), None) is not None

    def has(self, uri: Uri) -> bool:
        """Tell whether exactly this file or object is there."""
        if isinstance(uri, FileUri):
            return uri.path.is_file()
        try:
            return self._buckets.has_key(uri.bucket, uri.key)
        except BucketNotFound:
            return False

    def takes(self, uri: Uri) -> bool:
        """Tell whether something can be uploaded to a URI: for an S3 one, its bucket is there."""
        if isinstance(uri, FileUri):
            return True
        return self._buckets.has_bucket(uri.bucket)

    def copy_prefix(self, uri: Uri, into: Path) -> int:
        """Copy all that a URI names into a folder, and return the number of files.

        An S3 URI is a prefix, as it is for a training channel: it takes in `data/train/x` and
        `data/train.csv` where it ends with `data/train`, as `x` and `train.csv`. ModelDataMissing
        where it names nothing; InvalidRequest for keys that cannot be files in one tree (`..` in
        them, or both `a` and `a/b`).
        """
        wanted = list(self.named_by(uri))
        if not wanted:
            raise ModelDataMissing(uri=str(uri))
        tree = Tree(into, links=False)
        for name, source in self.fetch(wanted):
            if source is None:
                tree.add_folder(name)
            else:
                tree.add(name, source)
        return sum(named.found is not None for named in wanted)

    def fetch(self, wanted: Iterable[Named]) -> Iterator[tuple[str, Path | None]]:
        """Yield names with the files that hold their bytes, or None for a folder; folders first.

        The files are originals, or shared with others: they must not be written to. What was
        removed since it was listed is left out.
        """
        names: dict[tuple[str, str], str] = {}
        remote: list[FoundObject] = []
        for name, found in wanted:
            if found is None:
                yield name, None
            elif found.bucket:
                names[found.bucket, found.key] = name
                remote.append(found)
            else:
                yield name, found.path
        for found, path in self._buckets.fetch(remote):
            yield names[found.bucket, found.key], path

    def remove(self, uri: Uri) -> bool:
        """Remove a file or an object; False where there is none."""
        if isinstance(uri, S3Uri):
            return self._buckets.delete(uri.bucket, uri.key)
        there = uri.path.is_file()
        uri.path.unlink(missing_ok=True)
        return there

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

    def whole_folder(self, uri: Uri) -> Path | None:
        """Return the folder here that holds all objects of a prefix and no others, if there is one.

        Names in it need not be those of the keys.
        """
        if not isinstance(uri, S3Uri):
            return None
        above, _, begun = uri.key.rpartition("/")
        try:
            folder = self._buckets.folder(uri.bucket, f"{above}/" if above else "")
        except BucketNotFound:
            return None
        if folder is None or not begun:
            return folder
        names = [path.name for path in folder.iterdir()]
        beginning = [name for name in names if name.startswith((begun, MARK))]
        path = folder / begun
        return path if beginning == [begun] and path.is_dir() and not path.is_symlink() else None

    def named_by(self, uri: Uri) -> Iterator[Named]:
        """Yield all that a URI names, an S3 one taken as a prefix, with names relative to it."""
        if isinstance(uri, S3Uri):
            yield from self._keys(uri)
        elif uri.path.is_dir():
            for name, source in members_of(uri.path).items():
                file = None if source.is_dir() else FoundObject("", name, _followed(source))
                yield Named(name, file)
        elif uri.path.is_file():
            yield Named(uri.path.name, FoundObject("", uri.path.name, _followed(uri.path)))

    def _keys(self, uri: S3Uri) -> Iterator[Named]:
        try:
            for found in self._buckets.find(uri.bucket, uri.key):
                name = _relative(found.key, uri.key)
                yield Named(name, None if name.endswith("/") or not name else found)
        except BucketNotFound:
            return


def _relative(key: str, prefix: str) -> str:
    """Return a key's name below a prefix that may or may not end with `/`."""
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _followed(path: Path) -> Path:
    """Return where a link leads, or the path itself."""
    return path.resolve() if path.is_symlink() else path


def _child(uri: Uri, name: str) -> Uri:
    return uri.child(name) if isinstance(uri, S3Uri) else FileUri(uri.path / name)
