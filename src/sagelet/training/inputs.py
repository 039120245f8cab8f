"""Where a job's inputs come from, and its source, which is copied: a script may write to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sagelet.artifacts import archives
from sagelet.artifacts.access import artifacts_at
from sagelet.artifacts.disk import copy_file
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FileUri, S3Uri, name_of, parse_uri
from sagelet.errors import InvalidRequest
from sagelet.training.order import JobOrder

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")

# What lies in a project's folder and is no source.
_NOT_SOURCE = shutil.ignore_patterns(
    ".DS_Store",
    ".cache",
    ".git",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv*",
    "__pycache__",
    "node_modules",
)


def _nobody_hears(_line: str) -> None:
    pass


def artifacts_of(order: JobOrder, tell: Callable[[str], None] = _nobody_hears) -> Artifacts:
    """Return what reads and writes a job's URIs: our buckets, or AWS's where the job says so.

    `tell` hears how far large downloads are.
    """
    places = order.places
    return artifacts_at(
        order.s3, buckets=Path(places.buckets), downloads=Path(places.downloads), tell=tell
    )


def check_output(artifacts: Artifacts, order: JobOrder) -> None:
    """Refuse a job whose output or checkpoints have no bucket at AWS.

    Of our own buckets CreateTrainingJob knows.

    Raises:
        InvalidRequest: found out only after training, it would cost the training.
        RemoteError: AWS did not say.
    """
    if not order.s3.is_aws:
        return
    places = {"S3OutputPath": order.output_uri}
    if order.checkpoints is not None:
        places["CheckpointConfig.S3Uri"] = order.checkpoints.uri
    for member, uri in places.items():
        if not artifacts.takes(parse_uri(uri)):
            raise InvalidRequest(f'The bucket of {member} "{uri}" does not exist; create it first.')


def fetch_source(artifacts: Artifacts, source_uri: str, into: Path) -> None:
    """Unpack an archive, or copy a folder or a single script, to the code folder.

    Raises:
        ModelDataMissing: there is nothing at the URI.
        UnsafeArchive: the archive is damaged, or reaches outside.
    """
    uri = parse_uri(source_uri)
    if artifacts.is_folder(uri):
        _copy_folder(artifacts, uri, into)
        return
    path = artifacts.local_path(uri)
    if name_of(uri).endswith(ARCHIVE_SUFFIXES):
        archives.unpack(path, into)
        return
    into.mkdir(parents=True)
    copy_file(path, into / name_of(uri))


def _copy_folder(artifacts: Artifacts, uri: S3Uri | FileUri, into: Path) -> None:
    """Copy a source folder; of one on this machine, only what is source."""
    if isinstance(uri, FileUri):
        shutil.copytree(
            uri.path,
            into,
            ignore=_NOT_SOURCE,
            ignore_dangling_symlinks=True,
            copy_function=_clone,
        )
    else:
        artifacts.copy_prefix(uri, into)


def _clone(source: str, target: str) -> None:
    """Copy a file with its mode, by sharing blocks where the file system can."""
    copy_file(Path(source), Path(target))
    shutil.copystat(source, target)
