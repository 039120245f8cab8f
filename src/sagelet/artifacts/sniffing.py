"""What a file is that was taken for a gzipped tar, by its first bytes."""

from __future__ import annotations

import tarfile

from sagelet.artifacts.tarstream import RefusedTar

SNIFFED_BYTES = tarfile.BLOCKSIZE

_SIGNATURES = (
    (b"PK\x03\x04", "it is a zip file; make it a gzipped tar"),
    (b"BZh", "it is compressed with bzip2; gzip it"),
    (b"\xfd7zXZ\x00", "it is compressed with xz; gzip it"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstandard; gzip it"),
    (b"version https://git-lfs", "it is a Git LFS pointer; run `git lfs pull`"),
)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body")


def check_is_gzip(start: bytes) -> None:
    """Raise with a reason that a person can act on, unless this is how a gzip file starts."""
    if start.startswith(b"\x1f\x8b"):
        return
    if not start:
        raise RefusedTar("it is empty")
    for signature, reason in _SIGNATURES:
        if start.startswith(signature):
            raise RefusedTar(reason)
    text = start.lstrip().lower()
    if text.startswith(_PAGES):
        raise RefusedTar("it is an HTML page")
    if text.startswith((b"<?xml", b"<error")):
        raise RefusedTar("it is an XML document, perhaps the error of a download")
    if _is_tar(start):
        raise RefusedTar("it is a plain tar; gzip it")
    raise RefusedTar("it is not a gzipped tar")


def _is_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
