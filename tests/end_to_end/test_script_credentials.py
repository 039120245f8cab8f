"""Scripts and handlers use boto3 with keys of their own: for their data, while they run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.local_aws import LocalAws, eventually

pytestmark = pytest.mark.usefixtures("nothing_lost")

SCRIPT = """
import http.client, json, os
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

def kill(service):
    "Ask the daemon's own API, signed for a service, to kill this job; return what it says."
    address = os.environ["AWS_ENDPOINT_URL"]
    request = AWSRequest("POST", address + "/api/v1/jobs/with-keys/kill", data=b"")
    SigV4Auth(boto3.Session().get_credentials(), service, "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(address.partition("//")[2])
    connection.request("POST", "/api/v1/jobs/with-keys/kill", b"", dict(request.headers))
    return json.load(connection.getresponse()).get("message", "")

s3 = boto3.client("s3")
greeting = s3.get_object(Bucket="for-scripts", Key="in.txt")["Body"].read().decode()
s3.put_object(Bucket="for-scripts", Key="out.txt", Body=greeting.upper().encode())
who = boto3.client("sts").get_caller_identity()["Account"]
try:
    boto3.client("sagemaker").list_endpoints()
    refused = ""
except ClientError as error:
    refused = error.response["Error"]["Code"]
found = {"account": who, "refused": refused, "id": os.environ["AWS_ACCESS_KEY_ID"],
         "secret": os.environ["AWS_SECRET_ACCESS_KEY"],
         "kills": [kill("sagelet"), kill("logs")]}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "found.json"), "w") as file:
    json.dump(found, file)
"""

HANDLERS = """
import boto3

def model_fn(model_dir):
    return boto3.client("s3").get_object(Bucket="for-scripts", Key="in.txt")["Body"].read().decode()

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    return {"greeting": model}
"""


@pytest.fixture
def greeting(local: LocalAws) -> Iterator[str]:
    s3 = local.client("s3")
    s3.create_bucket(Bucket="for-scripts")
    s3.put_object(Bucket="for-scripts", Key="in.txt", Body=b"hello")
    yield "hello"
    for stored in s3.list_objects_v2(Bucket="for-scripts")["Contents"]:
        s3.delete_object(Bucket="for-scripts", Key=stored["Key"])
    s3.delete_bucket(Bucket="for-scripts")


def test_a_script_reads_and_writes_s3_and_may_neither_deploy_nor_kill(
    local: LocalAws, greeting: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SCRIPT)
    output = {"S3OutputPath": (tmp_path / "out").as_uri(), "CompressionType": "NONE"}
    local.train("with-keys", source, OutputDataConfig=output)
    assert local.wait_ended("with-keys")["TrainingJobStatus"] == "Completed"
    stored = local.client("s3").get_object(Bucket="for-scripts", Key="out.txt")
    assert stored["Body"].read().decode() == greeting.upper()
    found = json.loads((tmp_path / "out/with-keys/output/model/found.json").read_text())
    assert (found["account"], found["refused"]) == ("000000000000", "AccessDeniedException")
    signed_for_it, signed_for_another = found["kills"]
    assert "is not authorized to perform operations of sagelet" in signed_for_it
    assert "service" in signed_for_another
    late = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=local.info.address,
        aws_access_key_id=found["id"],
        aws_secret_access_key=found["secret"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    eventually(lambda: refused(late.list_buckets) == "InvalidAccessKeyId", "its key ends with it")
    local.sagemaker.delete_training_job(TrainingJobName="with-keys")


def refused(call: Callable[[], object]) -> str:
    """The code with which a call is refused; empty where it is not."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_handler_reads_s3(local: LocalAws, greeting: str, tmp_path: Path) -> None:
    (tmp_path / "inference.py").write_text(HANDLERS)
    with local.deployed("with-keys", tmp_path):
        assert json.loads(local.invoke("with-keys")) == {"greeting": greeting}
