"""Deploy the latest experiment to the environment that DEPLOY_ENV names, `local` by default.

    DEPLOY_ENV=production python deploy/sagemaker/deploy.py

What differs from one environment to the other stands in config.yml, beside this file.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, WaiterError

from sagelet import DeployEnv

PROJECT = Path(__file__).resolve().parents[2]
ARCHIVE = PROJECT / "build" / "model.tar.gz"
MODEL = PROJECT / "experiments" / "latest"
CODE = (PROJECT / "deploy" / "sagemaker" / "serve.py", PROJECT / "text_classification")

log = logging.getLogger("deploy.py")


def main() -> None:
    """Pack, upload where the environment's models are in S3, and deploy."""
    env = DeployEnv()
    started = time.monotonic()
    log.info("Deploying model_name=%s to env=%s", env.setting("model_name"), env.current_env())
    pack()
    log.info("packed %s (%.1f MB)", ARCHIVE.name, ARCHIVE.stat().st_size / 1e6)
    upload(env)
    deploy(env)
    log.info("in service after %.1f s", time.monotonic() - started)


def pack() -> None:
    """Write build/model.tar.gz: the model's files at its root, the code that serves it in code/."""
    if not MODEL.is_dir():
        sys.exit(f"deploy.py: there is no {MODEL}: run `python train.py` first")
    ARCHIVE.parent.mkdir(exist_ok=True)
    partial = ARCHIVE.with_suffix(".partial")
    with tarfile.open(partial, "w:gz", compresslevel=1) as archive:
        for file in sorted(MODEL.iterdir()):
            archive.add(file, arcname=file.name)
        for path in CODE:
            archive.add(path, arcname=f"code/{path.name}", filter=_without_bytecode)
    partial.replace(ARCHIVE)


def upload(env: DeployEnv) -> None:
    """Upload the archive if the environment takes its models from S3."""
    url = urlsplit(env.setting("model_data_path"))
    if url.scheme == "s3":
        make_bucket(env, url.netloc)
        env.s3_client().upload_file(str(ARCHIVE), url.netloc, url.path.lstrip("/"))
        log.info("uploaded %s", url.geturl())


def make_bucket(env: DeployEnv, bucket: str) -> None:
    """Create the environment's bucket if it is not there."""
    s3 = env.s3_client()
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        # us-east-1 is the one region that must not be named.
        where = {"LocationConstraint": env.region}
        here = env.region == "us-east-1"
        s3.create_bucket(Bucket=bucket, **({} if here else {"CreateBucketConfiguration": where}))
        log.info("created bucket %s", bucket)


def deploy(env: DeployEnv) -> None:
    """Create the endpoint, or move it to the new model, and wait until it serves."""
    client = env.client()
    endpoint = env.setting("model_name")
    version = f"{endpoint}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    client.create_model(
        ModelName=version,
        ExecutionRoleArn=env.setting("aws_role"),
        PrimaryContainer={
            "Image": env.setting("image"),
            "ModelDataUrl": env.setting("model_data_path"),
            "Environment": {
                "DEPLOY_ENV": env.current_env(),
                "SAGEMAKER_PROGRAM": "serve.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        },
    )
    client.create_endpoint_config(
        EndpointConfigName=version,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": version,
                "InitialInstanceCount": 1,
                "InstanceType": env.setting("instance_type"),
            }
        ],
    )
    if env.is_deployed():
        client.update_endpoint(EndpointName=endpoint, EndpointConfigName=version)
    else:
        delete_if_failed(env)
        client.create_endpoint(EndpointName=endpoint, EndpointConfigName=version)
    wait(env, version)


def delete_if_failed(env: DeployEnv) -> None:
    """Make way for a new endpoint: one that failed cannot be updated."""
    client, endpoint = env.client(), env.setting("model_name")
    failed = client.list_endpoints(NameContains=endpoint, StatusEquals="Failed")["Endpoints"]
    if any(found["EndpointName"] == endpoint for found in failed):
        client.delete_endpoint(EndpointName=endpoint)
        client.get_waiter("endpoint_deleted").wait(EndpointName=endpoint)


def wait(env: DeployEnv, version: str) -> None:
    """Wait until the endpoint serves this version, or say why it does not."""
    client, endpoint = env.client(), env.setting("model_name")
    with contextlib.suppress(WaiterError):  # the endpoint's description says more
        client.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    found = client.describe_endpoint(EndpointName=endpoint)
    # After an update that fails the endpoint is in service too, with what it served before.
    if (found["EndpointStatus"], found["EndpointConfigName"]) != ("InService", version):
        why = found.get("FailureReason", f"the endpoint is {found['EndpointStatus']}")
        sys.exit(f"deploy.py: {version} does not serve: {why}")


def _without_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s:%(levelname)s:%(name)s:%(funcName)s:%(lineno)d: %(message)s",
    )
    main()
