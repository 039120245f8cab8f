"""Data that cannot be used, or kept."""

from __future__ import annotations

from dataclasses import dataclass

from sagelet.errors.root import SageletError


@dataclass(eq=False)
class ModelDataMissing(SageletError):
    """Nothing is stored at the URI of a model's archive or of an input channel."""

    uri: str

    def sentence(self) -> str:
        """Name the URI."""
        return f"Could not find model data at {self.uri}."


class TargetModelMissing(ModelDataMissing):
    """An invocation names a model that is not there. `uri` is where it would be."""

    def sentence(self) -> str:
        """Say it as SageMaker does of an object in S3."""
        scheme, _, rest = self.uri.partition("://")
        if scheme != "s3":
            return super().sentence()
        bucket, _, key = rest.partition("/")
        return (
            f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that "
            "there is an object located at the URL and that the role passed to CreateModel has "
            "permissions to download the model."
        )


@dataclass(eq=False)
class UnsafeArchive(SageletError):
    """An archive is refused, whole. `reason` says why, and names the member."""

    archive: str
    reason: str

    def sentence(self) -> str:
        """Name the archive and the reason."""
        return f"{self.archive} was refused: {self.reason}"


@dataclass(eq=False)
class DiskFull(SageletError):
    """No space is left where something had to be written."""

    path: str
    free_bytes: int

    def sentence(self) -> str:
        """Say where, and how much is free."""
        return f"local disk full at {self.path} ({self.free_bytes // 2**20} MB free)"


@dataclass(eq=False)
class UnreadableSource(SageletError):
    """A script, notebook or archive cannot be read. `line` is where, 0 if nowhere in particular."""

    path: str
    reason: str
    line: int = 0

    def sentence(self) -> str:
        """Name the file and the reason."""
        place = f":{self.line}" if self.line else ""
        return f"{self.path}{place} cannot be read: {self.reason}"


@dataclass(eq=False)
class PathNotFound(UnreadableSource):
    """What is to be checked is not there."""

    reason: str = "there is no such file or folder"


@dataclass(eq=False)
class SourceNotWritten(SageletError):
    """A script or a notebook cannot be written anew; it is as it was."""

    path: str
    reason: str

    def sentence(self) -> str:
        """Name the file and the reason."""
        return f"{self.path} was not written: {self.reason}"


class SourceChanged(SourceNotWritten):
    """... since somebody else has written to it meanwhile."""
