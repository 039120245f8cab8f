"""Updates that fail while people ask, deletions while they do, files that change under a model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from sagelet.artifacts.archives import pack
from tests.end_to_end.documents import an_endpoint_config
from tests.end_to_end.local_aws import LocalAws, eventually
from tests.end_to_end.visitors import Load
from tests.serving_projects import write

pytestmark = pytest.mark.usefixtures("nothing_lost")

ANSWERS = """
    import os
    import pathlib
    import time

    def model_fn(model_dir):
        return "{word}"

    def transform_fn(model, body, content_type, accept):
        if len(body) > 1:
            begun = pathlib.Path(body)
            begun.touch()
            while not begun.with_suffix(".go").exists():
                time.sleep(0.005)
        return model + " " + str(os.getpid())
"""


@pytest.fixture
def served(local: LocalAws, tmp_path: Path) -> Iterator[str]:
    """An endpoint that answers `old` and its worker's process id."""
    folder = write(tmp_path / "old", {"inference.py": ANSWERS.format(word="old")})
    with local.deployed("updated", folder) as described:
        assert described["EndpointStatus"] == "InService", described
        yield "updated"


def update(local: LocalAws, name: str, folder: Path, **environment: str) -> dict[str, Any]:
    """Update an endpoint to another model, and return its description when that is over."""
    local.deploy_model("other", folder, environment=environment)
    local.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="other")
    described = local.wait_settled(name)
    local.sagemaker.delete_endpoint_config(EndpointConfigName="other")
    local.sagemaker.delete_model(ModelName="other")
    return described


def assert_the_old_one_serves(described: dict[str, Any], load: Load) -> None:
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "updated"
    assert load.failures == []
    heard = [heard for visitor in load.heard for heard in visitor]
    assert {each.status for each in heard} == {200}
    assert {each.text.split()[0] for each in heard} == {"old"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def model_fn(model_dir):\n    raise OSError('gone')\n", "OSError: gone at {file}:2\n"),
        ("import os\nos._exit(5)\n", "the worker ended with exit code 5\n"),
        ("def model_fn(model_dir:\n", "SyntaxError: '(' was never closed at {file}:1\n"),
    ],
)
def test_an_update_that_does_not_load_costs_no_request(
    local: LocalAws, served: str, tmp_path: Path, code: str, reason: str
) -> None:
    bad = write(tmp_path / "bad", {"inference.py": code})
    with Load(local, served) as load:
        load.is_heard()
        described = update(local, served, bad)
    assert_the_old_one_serves(described, load)
    assert described["FailureReason"].startswith(reason.format(file=bad / "inference.py"))


def test_an_update_that_loads_and_fails_the_sample_costs_no_request(
    local: LocalAws, served: str, tmp_path: Path
) -> None:
    code = "def transform_fn(model, body, kind, accept):\n    return {}[body]\n\n\n"
    bad = write(
        tmp_path / "bad",
        {
            "inference.py": code + "def model_fn(model_dir):\n    return 1\n",
            "sample.txt": "a sample",
        },
    )
    with Load(local, served) as load:
        load.is_heard()
        described = update(local, served, bad, SAGELET_SAMPLE=str(bad / "sample.txt"))
    assert_the_old_one_serves(described, load)
    said = described["FailureReason"].splitlines()
    assert said[0].startswith("TypeError: unhashable type: 'bytearray'")
    assert f"at {bad}/inference.py:2" in said[0]


def test_a_deletion_answers_what_has_come_in_and_nothing_else(
    local: LocalAws, tmp_path: Path
) -> None:
    folder = write(tmp_path / "model", {"inference.py": ANSWERS.format(word="old")})
    begun = tmp_path / "begun"
    heard: list[str] = []
    with local.deployed("deleted", folder):
        asking = threading.Thread(target=lambda: heard.append(local.invoke("deleted", str(begun))))
        asking.start()
        eventually(begun.exists, "the request has begun")
        local.sagemaker.delete_endpoint(EndpointName="deleted")
        status = local.sagemaker.describe_endpoint(EndpointName="deleted")["EndpointStatus"]
        with pytest.raises(ClientError) as caught:
            local.invoke("deleted")
        begun.with_suffix(".go").touch()
        asking.join()
        (word, pid) = heard[0].split()
        eventually(lambda: "deleted" not in str(local.names("endpoints")), "it is gone")
        assert not psutil.pid_exists(int(pid))
        local.sagemaker.create_endpoint(EndpointName="deleted", EndpointConfigName="deleted")
        local.wait_in_service("deleted")
    assert (status, word) == ("Deleting", "old")
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint deleted of account 000000000000 not found.",
    }


def test_an_archive_that_changes_under_its_model_changes_nothing(
    local: LocalAws, tmp_path: Path
) -> None:
    folder = write(tmp_path / "model", {"inference.py": ANSWERS.format(word="old")})
    archive = tmp_path / "model.tar.gz"
    pack(folder, archive)
    with local.deployed("archive", archive):
        _, pid = local.invoke("archive", b"x").split()
        write(folder, {"inference.py": ANSWERS.format(word="new")})
        pack(folder, archive)
        psutil.Process(int(pid)).kill()
        eventually(
            lambda: any("another one starts" in line for line in local.endpoint_log("archive")),
            "its death is noted",
        )
        word, successor = local.invoke("archive", b"x").split()
        assert (word, successor != pid) == ("old", True)


def test_a_variant_that_there_is_not_is_named(local: LocalAws, served: str) -> None:
    with pytest.raises(ClientError) as caught:
        local.invoke(served, b"x", TargetVariant="blue")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Variant blue not found for endpoint updated.",
    }


def test_without_any_weight_only_a_target_is_served(local: LocalAws, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {"inference.py": ANSWERS.format(word="old")})
    local.deploy_model("weightless", folder)
    config = an_endpoint_config("weightless")
    local.sagemaker.delete_endpoint_config(EndpointConfigName="weightless")
    config["ProductionVariants"][0]["InitialVariantWeight"] = 0
    local.sagemaker.create_endpoint_config(**config)
    local.sagemaker.create_endpoint(EndpointName="weightless", EndpointConfigName="weightless")
    local.wait_in_service("weightless")
    try:
        assert local.invoke("weightless", b"x", TargetVariant="AllTraffic").startswith("old")
        with pytest.raises(ClientError) as caught:
            local.invoke("weightless", b"x")
        assert caught.value.response["Error"]["Code"] == "ValidationError"
    finally:
        local.remove_endpoint("weightless")
