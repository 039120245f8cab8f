"""What is copied into a host's tree before the start: channels and source.

A copy never shares bytes with what it was made from: a script may write to it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sagelet.artifacts import archives
from sagelet.artifacts.access import artifacts_at
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.domain.training import Channel
from sagelet.errors import InvalidRequest, NotSupported
from sagelet.training.order import JobOrder

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")
FILE_MODES = ("File", "FastFile")

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


def artifacts_of(order: JobOrder) -> Artifacts:
    """Return what reads and writes a job's URIs: our buckets, or AWS's where the job says so."""
    return artifacts_at(
        order.s3, buckets=Path(order.places.buckets), downloads=Path(order.places.downloads)
    )


def fetch_channel(artifacts: Artifacts, channel: Channel, into: Path) -> int:
    """Copy a channel's data to its folder; return the number of files.

    Raises:
        ModelDataMissing: there is nothing at its URI.
        InvalidRequest: its name is no folder's.
        NotSupported: its mode is one that this release does not serve.
    """
    if channel.name in (".", ".."):
        raise InvalidRequest(f"{channel.name!r} cannot be the name of a channel")
    if channel.input_mode not in FILE_MODES:
        raise NotSupported(
            f"channel {channel.name}: input mode {channel.input_mode} is not served by this "
            "release; use File"
        )
    return artifacts.copy_prefix(parse_uri(channel.uri), into)


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
    if path.name.endswith(ARCHIVE_SUFFIXES):
        archives.unpack(path, into)
        return
    into.mkdir(parents=True)
    shutil.copyfile(path, into / path.name)


def _copy_folder(artifacts: Artifacts, uri: S3Uri | FileUri, into: Path) -> None:
    """Copy a source folder; of one on this machine, only what is source."""
    if isinstance(uri, FileUri):
        shutil.copytree(uri.path, into, ignore=_NOT_SOURCE, ignore_dangling_symlinks=True)
    else:
        artifacts.copy_prefix(uri, into)
