"""Where the models of a container of several lie: all below the one URL that its model gives."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FILE_SCHEME, FileUri, S3Uri, parse_uri
from sagelet.errors import InvalidRequest, ModelDataMissing, TargetModelMissing

_IN_CONTAINER = "/opt/ml/models/"
_ARCHIVE = ".tar.gz"


class ModelUrls:
    """Names and paths below a prefix. Nothing outside of it is ever found. Every method blocks."""

    def __init__(self, data_url: str, artifacts: Artifacts) -> None:
        """Look below a `s3://` prefix or a `file://` folder."""
        self._base = parse_uri(data_url)
        self._artifacts = artifacts

    def of_target(self, target: str) -> str:
        """Return the URI of what an invocation calls TargetModel.

        Raises:
            TargetModelMissing: there is none.
        """
        uri = self._below(target)
        try:
            self._artifacts.local_path(uri)
        except ModelDataMissing as error:
            raise TargetModelMissing(uri=error.uri) from error
        return str(uri)

    def at(self, url: str) -> str:
        """Return the URI of what a container is told to load.

        It may be told so by the URI or path itself, by a path that is relative to the prefix, or as
        SageMaker does: /opt/ml/models/<name>/model.

        Raises:
            ModelDataMissing: there is none below the prefix.
        """
        name = self._relative(url)
        for candidate in (name, name + _ARCHIVE):
            try:
                uri = self._below(candidate)
                self._artifacts.local_path(uri)
            except (ModelDataMissing, InvalidRequest):
                continue
            return str(uri)
        raise ModelDataMissing(uri=url)

    def _relative(self, url: str) -> str:
        """Return a path below the prefix; what is elsewhere comes out as a path that is not."""
        if url.startswith(_IN_CONTAINER):
            return url.removeprefix(_IN_CONTAINER).removesuffix("/").removesuffix("/model")
        if isinstance(self._base, S3Uri):
            return url.removeprefix(str(self._base).rstrip("/")).lstrip("/")
        given = parse_uri(url) if url.startswith(FILE_SCHEME) else None
        path = given.path if isinstance(given, FileUri) else Path(url)
        return str(path.relative_to(self._base.path)) if self._base.path in path.parents else url

    def _below(self, name: str) -> S3Uri | FileUri:
        """Return the URI of a relative path.

        Raises:
            InvalidRequest: it leads elsewhere.
        """
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
            raise InvalidRequest(f"{name!r} is no path below {self._base}.")
        if isinstance(self._base, S3Uri):
            return self._base.child(name)
        return FileUri(self._base.path / path)
