"""Jobs whose s3:// is AWS's own, which moto's server plays: read, written, broken, refused."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagelet.artifacts.access import S3Access, artifacts_at
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import S3Uri
from sagelet.domain.training import ToolkitProgram, TrainingJob, TrainingJobStatus
from sagelet.errors import NoCredentials, RemoteRefused, RemoteUnreachable
from tests.host_orders import eventually
from tests.moto_server import BreakingProxy, aws_files, moto_server, s3_client
from tests.training_builders import a_channel
from tests.training_machine import TrainingMachine

BIG_BYTES = 60 * 2**20
LOOK = """
import hashlib, json, os, pathlib
data = pathlib.Path(os.environ["SM_CHANNEL_TRAINING"])
seen = {
    path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in data.rglob("*") if path.is_file()
}
for path in data.rglob("*"):
    if path.is_file():
        path.open("a").write("changed")
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps(seen))
"""


@dataclass(frozen=True)
class Aws:
    """The emulator with a bucket of the test's own."""

    address: str
    bucket: str
    client: Any

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def variables(self, profile: str = "mlops", address: str = "") -> dict[str, str]:
        """What a job's Environment says."""
        return {
            "SAGELET_S3": "aws",
            "SAGELET_S3_PROFILE": profile,
            "SAGELET_S3_ENDPOINT_URL": address or self.address,
        }

    def model(self, job: TrainingJob) -> bytes:
        """The model's archive of a job."""
        key = f"out/{job.name}/output/model.tar.gz"
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as address:
        yield address


@pytest.fixture
def aws(moto: str, request: pytest.FixtureRequest) -> Aws:
    bucket = f"b-{hashlib.sha256(request.node.name.encode()).hexdigest()[:20]}"
    client = s3_client(moto)
    client.create_bucket(Bucket=bucket)
    return Aws(moto, bucket, client)


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The machine's AWS configuration, with one profile."""
    return aws_files(tmp_path / "aws", "mlops")


def a_source(script: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        info = tarfile.TarInfo("train.py")
        info.size = len(script.encode())
        tar.addfile(info, io.BytesIO(script.encode()))
    return data.getvalue()


def far(folder: Path, address: str, profile: str = "mlops") -> Artifacts:
    """What reads and writes an emulator's buckets."""
    access = S3Access(is_aws=True, profile=profile, endpoint_url=address)
    return artifacts_at(access, buckets=folder / "b", downloads=folder / "d", tell=print)


async def train(
    machine: TrainingMachine,
    aws: Aws,
    name: str = "digits",
    **changes: Any,  # noqa: ANN401  any field
) -> TrainingJob:
    """Run a job that has all it needs in AWS's bucket."""
    aws.put("source/sourcedir.tar.gz", a_source(changes.pop("script", LOOK)))
    asked = {
        "program": ToolkitProgram("train.py", aws.uri("source/sourcedir.tar.gz")),
        "output_uri": aws.uri("out"),
        "environment": aws.variables(),
        "channels": (a_channel(uri=aws.uri("data/")),),
    } | changes
    return await machine.finish(machine.job(name, **asked))


def kept(machine: TrainingMachine) -> dict[Path, os.stat_result]:
    return {path: path.stat() for path in (machine.home.downloads / "objects").iterdir()}


async def test_a_job_reads_and_writes_awss_buckets_and_the_second_one_finds_all_here(
    home_path: Path, aws: Aws, variables: dict[str, str]
) -> None:
    big = hashlib.sha256(b"seed").digest() * (BIG_BYTES // 32)
    aws.put("data/big.bin", big)
    aws.put("data/deep/small.csv", b"1,2")
    async with TrainingMachine(home_path, variables=variables) as machine:
        first = await train(machine, aws)
        assert first.failure_reason is None
        assert first.artifact_uri == aws.uri("out/digits/output/model.tar.gz")
        with tarfile.open(fileobj=io.BytesIO(aws.model(first))) as tar:
            file = tar.extractfile("seen.json")
            assert file is not None
            said = file.read().decode()
        assert hashlib.sha256(big).hexdigest() in said
        assert '"deep/small.csv"' in said
        before = kept(machine)
        assert {"small.csv", "big.bin", "sourcedir.tar.gz"} == {
            path.name.partition("-")[2] for path in before
        }
        await eventually(lambda: not (machine.paths(first).root / "views").exists())
        before = kept(machine)
        assert sum(stat.st_nlink for stat in before.values()) == 3  # the views are gone
        second = await train(machine, aws, "second")
        assert second.failure_reason is None
        after = kept(machine)
        assert {path: after[path].st_mtime_ns for path in before} == {
            path: stat.st_mtime_ns for path, stat in before.items()
        }
        assert (machine.home.buckets / aws.bucket).exists() is False


async def test_a_broken_connection_is_taken_up_again(
    home_path: Path, aws: Aws, variables: dict[str, str]
) -> None:
    aws.put("data/big.bin", b"x" * (20 * 2**20))
    proxy = BreakingProxy(aws.port, breaks=2, after_bytes=2**20)
    with proxy.running():
        async with TrainingMachine(home_path, variables=variables) as machine:
            job = await train(machine, aws, environment=aws.variables(address=proxy.address))
    assert job.failure_reason is None
    assert proxy.broken == 2
    assert hashlib.sha256(b"x" * (20 * 2**20)).hexdigest().encode() in _unpacked(aws.model(job))


@pytest.mark.parametrize(("breaks", "is_whole"), [(1, True), (10_000, False)])
async def test_an_upload_that_is_cut_short_is_made_whole_or_not_seen(
    tmp_path: Path,
    aws: Aws,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    breaks: int,
    is_whole: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(hashlib.sha256(b"seed").digest() * (40 * 2**20 // 32))
    uri = S3Uri(aws.bucket, "m/model.tar.gz")
    proxy = BreakingProxy(aws.port, breaks=breaks, after_bytes=2**20, upwards=True)
    with proxy.running():
        try:
            far(tmp_path, proxy.address).upload(archive, uri)
        except RemoteUnreachable:
            assert not is_whole
    assert proxy.broken >= 1
    if is_whole:
        there = far(tmp_path, aws.address).local_path(uri)
        assert there.read_bytes() == archive.read_bytes()
    else:
        assert not far(tmp_path, aws.address).has(uri)
    assert "Uploads" not in aws.client.list_multipart_uploads(Bucket=aws.bucket)


@pytest.mark.parametrize(
    ("profile", "profiles", "said"),
    [
        ("gone", ("mlops",), "The config profile (gone) could not be found"),
        ("", (), "no AWS credentials: the AWS chain found none (no profile is named)"),
    ],
)
async def test_without_credentials_the_job_fails_with_the_profiles_name(
    home_path: Path, tmp_path: Path, aws: Aws, profile: str, profiles: tuple[str, ...], said: str
) -> None:
    variables = aws_files(tmp_path / "none", *profiles)
    async with TrainingMachine(home_path, variables=variables) as machine:
        job = await train(machine, aws, environment=aws.variables(profile))
    assert job.status is TrainingJobStatus.FAILED
    assert job.failure_reason is not None
    assert job.failure_reason.startswith("ClientError: ")
    assert said in job.failure_reason


async def test_a_bucket_is_looked_for_in_one_place_only(
    home_path: Path, aws: Aws, variables: dict[str, str]
) -> None:
    async with TrainingMachine(home_path, variables=variables) as machine:
        machine.buckets.create_bucket("only-here")
        machine.buckets.put("only-here", "data/x", io.BytesIO(b"1"))
        aws.put("data/x", b"1")
        ours = (a_channel(uri="s3://only-here/data/"),)
        job = await train(machine, aws, channels=ours)
        assert job.failure_reason is not None
        assert 'No S3 objects found under S3 URL "s3://only-here/data/"' in job.failure_reason
        job = await train(machine, aws, "local", environment={})
        assert job.failure_reason is not None
        assert aws.bucket in job.failure_reason


async def test_an_output_bucket_that_is_not_there_is_found_before_the_training(
    home_path: Path, aws: Aws, variables: dict[str, str]
) -> None:
    aws.put("data/x", b"1")
    async with TrainingMachine(home_path, variables=variables) as machine:
        job = await train(machine, aws, output_uri="s3://no-such-bucket-there/out")
        assert job.failure_reason is not None
        assert '"s3://no-such-bucket-there/out" does not exist' in job.failure_reason
        assert job.started_at is None


def test_what_s3_refuses_is_told_in_its_words(
    tmp_path: Path, aws: Aws, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    there = far(tmp_path, aws.address)
    with pytest.raises(RemoteRefused, match="ParamValidationError"):
        there.holds(S3Uri("Not A Bucket", "x"))
    assert not there.holds(S3Uri("no-such-bucket-there", "x"))
    assert not there.has(S3Uri(aws.bucket, "x"))
    aws.put("x", b"1")
    assert there.has(S3Uri(aws.bucket, "x"))
    assert there.remove(S3Uri(aws.bucket, "x"))
    assert not there.remove(S3Uri(aws.bucket, "x"))
    with pytest.raises(NoCredentials, match="profile 'gone'"):
        far(tmp_path, aws.address, "gone").has(S3Uri(aws.bucket, "x"))


def _unpacked(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return b"".join(
            file.read() for member in tar if (file := tar.extractfile(member)) is not None
        )
