"""The disk that holds the state is full: what serves goes on, what would write is refused whole.

The home is a file system of a few megabytes, mounted in a namespace of the daemon's own. A test
fills it, and frees it again, through the API.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagelet.domain.home import Home
from sagelet.environments import daemon
from tests.end_to_end.documents import a_model, a_training_job
from tests.end_to_end.local_aws import LocalAws, eventually

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="file systems are mounted as Linux does it"
)

SIZE_MB = 24
MOUNT = f'mount -t tmpfs -o size={SIZE_MB}m,mode=700 tmpfs "$0" && exec "$@"'
ECHO = "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return d\n"


@dataclass(frozen=True)
class SmallDisk:
    """A daemon whose home fills up soon."""

    local: LocalAws

    def fill(self) -> ClientError:
        """Put objects until one does not fit, then smaller ones; return the last refusal."""
        s3: Any = self.local.client("s3")
        s3.create_bucket(Bucket="ballast")
        size, number, refused = 2**22, 0, None
        while size >= 2**10:
            try:
                s3.put_object(Bucket="ballast", Key=str(number), Body=os.urandom(size))
            except ClientError as error:
                refused = error
                size //= 2
            number += 1
        assert refused is not None
        return refused

    def free(self) -> None:
        """Delete what `fill` has put."""
        s3: Any = self.local.client("s3")
        for each in s3.list_objects_v2(Bucket="ballast")["Contents"]:
            s3.delete_object(Bucket="ballast", Key=each["Key"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    point = tmp_path / "home"
    point.mkdir()
    with subprocess.Popen(
        [
            "unshare",
            "--mount",
            *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]),
            *("sh", "-c", MOUNT, str(point)),
            *(sys.executable, "-m", "sagelet", "up", "--foreground", "--port", "0", "--no-zygote"),
        ],
        env=LocalAws(Home(point)).environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        local = LocalAws(Home(Path(f"/proc/{process.pid}/root") / point.relative_to("/")))
        try:
            eventually(lambda: daemon.read(local.home), "the daemon announces itself")
            yield SmallDisk(local)
        finally:
            process.terminate()
            assert process.stderr is not None
            said = process.stderr.read().decode()
    assert "nobody foresaw" not in said, said


def test_what_serves_goes_on_and_nothing_is_half_made(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    local = small_disk.local
    model, source = tmp_path / "model", tmp_path / "source"
    model.mkdir()
    source.mkdir()
    (model / "inference.py").write_text(ECHO)
    (source / "train.py").write_text("print('trained')\n")
    local.deploy("served", model)
    local.wait_in_service("served")

    refused = small_disk.fill()
    before = local.state()
    assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert "local disk full" in refused.response["Error"]["Message"]

    assert local.invoke("served", "still") == "still"
    refusals = []
    for number in range(200):  # until the database has no room either
        try:
            local.sagemaker.create_model(**a_model(f"many-{number}", model, {"X": "x" * 1000}))
        except ClientError as error:
            refusals.append(error.response["Error"])
            break
    assert refusals, "the database found room for everything"
    assert refusals[0]["Code"] == "ResourceLimitExceeded"
    assert "local disk full" in refusals[0]["Message"]
    with pytest.raises(ClientError) as caught:
        local.sagemaker.create_training_job(**a_training_job("none", source))
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert local.invoke("served", "still") == "still"
    now = local.state()
    assert (now["endpoints"], now["jobs"], now["objects"]) == (
        before["endpoints"],
        before["jobs"],
        before["objects"],
    )

    small_disk.free()
    local.train("afterwards", source)
    assert local.wait_ended("afterwards")["TrainingJobStatus"] == "Completed"
    assert local.invoke("served", "still") == "still"


def test_a_job_that_fills_the_disk_fails_and_says_so(small_disk: SmallDisk, tmp_path: Path) -> None:
    local = small_disk.local
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(
        "import os, pathlib\n"
        f"data = os.urandom({SIZE_MB // 2} * 2**20)\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model').write_bytes(data)\n"
    )
    # The model fits once; its archive does not fit beside it.
    local.client("s3").create_bucket(Bucket="models")
    local.train("too-big", source, OutputDataConfig={"S3OutputPath": "s3://models/"})
    job = local.wait_ended("too-big")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed: ")
    assert "No space left on device" in job["FailureReason"]
    assert "too-big/output/model.tar.gz" not in local.state()["objects"]["models"]
