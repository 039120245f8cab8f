"""Packing a model anew with the code that serves it, as SageMaker's SDK does for an estimator."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagelet.artifacts.archives import pack, unpack
from sagelet.artifacts.files import Artifacts, Uri
from sagelet.artifacts.uris import FileUri, parse_uri
from sagelet.web.backend import Backend

_SUBMITTED = "sagemaker_submit_directory"
_PLACE = "with-code/model.tar.gz"


def source_of(job: Mapping[str, Any]) -> str | None:
    """Return the URI of the source that a job ran, if its hyperparameters name one."""
    written: str = job.get("HyperParameters", {}).get(_SUBMITTED, "")
    try:
        read = json.loads(written)
    except ValueError:
        read = written
    text = read if isinstance(read, str) else ""
    return text if text.startswith(("s3://", "file://")) else None


def with_code(backend: Backend, data_url: str, source: str) -> str:
    """Store a model with a source as its `code/` beside where it lies; return its URI. It blocks.

    Raises:
        ModelDataMissing: the model, or the source, is gone.
        UnsafeArchive: one of the archives is refused.
        DiskFull: there is no space.
    """
    artifacts = backend.artifacts
    model, out = parse_uri(data_url), _beside(data_url)
    with tempfile.TemporaryDirectory(prefix=".repacking-", dir=backend.home.root) as folder:
        root = _laid_out(artifacts, model, Path(folder, "model"))
        # As the SDK does it: what the model has there, scripts that serve or not, is not mixed in.
        _remove(root / "code")
        _laid_out(artifacts, parse_uri(source), root / "code", is_whole=True)
        archive = Path(folder, "model.tar.gz")
        pack(root, archive)
        artifacts.upload(archive, out)
    return str(out)


def _laid_out(artifacts: Artifacts, uri: Uri, into: Path, *, is_whole: bool = False) -> Path:
    """Lay out an archive, a folder or a file; return the root, which an only folder inside is."""
    if artifacts.is_folder(uri):
        artifacts.copy_prefix(uri, into)
    else:
        path = artifacts.local_path(uri)
        if path.name.endswith(".py"):
            into.mkdir(parents=True)
            shutil.copyfile(path, into / path.name)
        else:
            unpack(path, into)
    found = list(into.iterdir())
    if not is_whole and len(found) == 1 and found[0].is_dir() and found[0].name != "code":
        return found[0]
    return into


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _beside(data_url: str) -> Uri:
    base = data_url.rstrip("/").rpartition("/")[0]
    uri = parse_uri(base)
    return FileUri(uri.path / _PLACE) if isinstance(uri, FileUri) else uri.child(_PLACE)
