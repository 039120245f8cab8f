"""What a training channel takes in: the objects of a prefix, or those that a manifest names.

    [{"prefix": "s3://bucket/images/"}, "cats/1.png", "dogs/7.png"]

A manifest's names are appended to its prefix; below the channel's folder they are the files' own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from sagelet.artifacts.files import Artifacts, Named, Uri
from sagelet.artifacts.object_store import FoundObject
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.artifacts.views import glance, in_the_way
from sagelet.errors import InvalidRequest

MANIFEST = "ManifestFile"
_LOOKED_AT = 10_000
_MANIFEST_BYTES = 256 * 2**20


def chosen(artifacts: Artifacts, uri: Uri, data_type: str) -> Iterator[Named]:
    """Yield what a channel takes in, in the order of its keys; nothing where there is nothing.

    Of a manifest it is what the manifest says, be it there or not.

    Raises:
        InvalidRequest: the manifest is none, or its names cannot be files in one tree.
        ModelDataMissing: there is no manifest.
    """
    if data_type == MANIFEST:
        yield from _named_in(artifacts, uri)
    else:
        yield from artifacts.named_by(uri)


def check(artifacts: Artifacts, uri: Uri, data_type: str) -> bool:
    """Return whether a channel has data; of very many, the first 10,000 are looked at.

    Raises:
        InvalidRequest: something in it cannot be used: a name, a file, a manifest.
        ModelDataMissing: there is no manifest.
    """
    folder = _folder(artifacts, uri, data_type)
    if folder is not None and glance(folder, _LOOKED_AT):
        return True
    looked_at = list(islice(chosen(artifacts, uri, data_type), _LOOKED_AT))
    _check_names(named.name for named in looked_at if named.found is not None)
    for named in looked_at:
        if named.found is not None:
            _check_readable(artifacts, named.found, uri, is_manifest=data_type == MANIFEST)
    return bool(looked_at)


def _folder(artifacts: Artifacts, uri: Uri, data_type: str) -> Path | None:
    """Return the folder that a channel is, if it is one: a glance will do then."""
    if data_type == MANIFEST:
        return None
    if isinstance(uri, FileUri):
        return uri.path if uri.path.is_dir() else None
    return artifacts.whole_folder(uri)


def absent(uri: Uri, manifest: Uri) -> InvalidRequest:
    """Return the error of an object that a manifest names and that is not there."""
    what = "files" if isinstance(uri, FileUri) else "S3 objects"
    where = "" if isinstance(uri, FileUri) else "S3 URL "
    return InvalidRequest(
        f'No {what} found under {where}"{uri}" given in input data source: the manifest '
        f'"{manifest}" names it.'
    )


def uri_of(found: FoundObject) -> Uri:
    """Return where an object lies."""
    if not found.bucket:
        assert found.path is not None
        return FileUri(found.path)
    return S3Uri(found.bucket, found.key)


def _named_in(artifacts: Artifacts, uri: Uri) -> Iterator[Named]:
    prefix, names = _read(artifacts, uri)
    for name in sorted(set(names)):
        if isinstance(prefix, FileUri):
            yield Named(name.lstrip("/"), FoundObject("", name, Path(f"{prefix.path}/{name}")))
        else:
            yield Named(name.lstrip("/"), FoundObject(prefix.bucket, prefix.key + name))


def _read(artifacts: Artifacts, uri: Uri) -> tuple[Uri, list[str]]:
    """Return a manifest's prefix and names."""
    path = artifacts.local_path(uri)
    if not path.is_file() or path.stat().st_size > _MANIFEST_BYTES:
        raise InvalidRequest(f'The manifest "{uri}" is no JSON file.')
    try:
        said = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f'The manifest "{uri}" is not JSON: {error}.') from error
    if not isinstance(said, list) or not said or not isinstance(said[0], dict):
        raise InvalidRequest(
            f'The manifest "{uri}" is no list that begins with {{"prefix": "s3://..."}}.'
        )
    prefix, names = said[0].get("prefix"), said[1:]
    if not isinstance(prefix, str) or not all(isinstance(name, str) and name for name in names):
        raise InvalidRequest(f'The manifest "{uri}" has something else than names after a prefix.')
    if not names:
        raise InvalidRequest(f'The manifest "{uri}" names no objects.')
    where = parse_uri(prefix)
    if isinstance(where, FileUri) and not isinstance(uri, FileUri):
        # An object may be another's: it has no say in which files of this machine are read.
        raise InvalidRequest(f'The manifest "{uri}" lies in S3 and names files of this machine.')
    return where, names


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that cannot be files in one tree."""
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        parts = [part for part in name.split("/") if part]
        if any(part in (".", "..") or "\0" in part for part in parts):
            raise InvalidRequest(f"The key {name!r} cannot be a file's name.")
        path = "/".join(parts)
        if path in files:
            raise in_the_way(name)
        files.add(path)
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    both = files & folders
    if both:
        raise InvalidRequest(f"{min(both)!r} is both a file and a folder.")


def _check_readable(
    artifacts: Artifacts, found: FoundObject, uri: Uri, *, is_manifest: bool
) -> None:
    """Refuse a file that cannot be read, and one that a manifest names and that is not there."""
    where = uri_of(found)
    if is_manifest and not artifacts.has(where):
        raise absent(where, uri)
    if found.path is not None and not os.access(found.path, os.R_OK):
        raise InvalidRequest(f'"{found.path}" cannot be read.')
