"""A model that is not the project's own folder: an archive, here or in a bucket, or a job's.

--model models/best            a folder, as it is
--model model.tar.gz           an archive, unpacked under .sagelet/<environment>/models/<hash>
--model s3://bucket/model.tar.gz
--model my-job                 what a training job made
--model latest                 what the project's last completed job made
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sagelet.artifacts.archives import unpack
from sagelet.artifacts.hashes import sha256_of
from sagelet.artifacts.uris import S3Uri, parse_uri
from sagelet.deploy.remote import Remote
from sagelet.errors import InvalidRequest, ModelDataMissing

LATEST = "latest"
_ARCHIVES = (".tar.gz", ".tgz")
_HASH = 16


def model_folder(where: str, *, remote: Remote, endpoint: str, project: Path, work: Path) -> Path:
    """Return a folder with the model's files. `work` is where archives are unpacked.

    Raises:
        ModelDataMissing: nothing is there.
        InvalidRequest: no job has the name, or it made no model.
        UnsafeArchive: the archive is damaged, or reaches outside.
    """
    if where.startswith("s3://"):
        return _fetched(where, remote, work)
    path = project / where
    if path.is_dir():
        return path.resolve()
    if where.endswith(_ARCHIVES):
        if not path.is_file():
            raise ModelDataMissing(uri=str(path))
        return _unpacked(path, work)
    return _fetched(_artifact_of(where, remote, endpoint), remote, work)


def _artifact_of(job: str, remote: Remote, endpoint: str) -> str:
    name = remote.latest_job(f"{endpoint}-") if job == LATEST else job
    if name is None:
        raise InvalidRequest(f"no training job of {endpoint} has completed; run `sagelet train`")
    artifact = remote.artifact_of(name)
    if artifact is None:
        raise InvalidRequest(
            f"{job!r} is no folder, no .tar.gz, and no training job that has made a model"
        )
    return artifact


def _fetched(url: str, remote: Remote, work: Path) -> Path:
    uri = parse_uri(url)
    assert isinstance(uri, S3Uri)
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        archive = Path(folder, "model.tar.gz")
        remote.download(uri.bucket, uri.key, archive)
        return _unpacked(archive, work)


def _unpacked(archive: Path, work: Path) -> Path:
    into = work / sha256_of(archive)[:_HASH]
    if not into.exists():
        work.mkdir(parents=True, exist_ok=True)
        unpack(archive, into)
    return into
