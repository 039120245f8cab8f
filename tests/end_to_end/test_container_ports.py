"""A container asked directly, at a port of its own; and one of several models."""

from __future__ import annotations

import http.client
import json
import socket
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.documents import a_model, an_endpoint_config
from tests.end_to_end.local_aws import LocalAws

HANDLERS = """
import pathlib


def model_fn(model_dir):
    return pathlib.Path(model_dir, "word").read_text()


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    if data == "stream":
        return (f"{model} {number} " for number in range(3))
    return {"said": f"{model} {1 // len(data)}"}


def output_fn(prediction, accept, context):
    context.set_response_header(0, "x-word", context.get_request_header(0, "X-Asked"))
    return prediction
"""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with closing(connection):
        connection.request(method, path, body, {"Content-Type": "application/json", **given})
        with connection.getresponse() as response:
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read())


def _a_folder(root: Path, word: str) -> Path:
    (root / "code").mkdir(parents=True)
    (root / "code" / "inference.py").write_text(HANDLERS)
    (root / "word").write_text(word)
    return root


def _an_archive(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=".")
    return path


def _is_refused(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return False
    except ConnectionRefusedError:
        return True


def test_a_container_is_asked_at_its_own_port_while_its_endpoint_lives(
    local: LocalAws, tmp_path: Path
) -> None:
    port = _free_port()
    environment = {"SAGEMAKER_BIND_TO_PORT": str(port)}
    with local.deployed("direct", _a_folder(tmp_path / "m", "hi"), environment=environment) as seen:
        assert seen["EndpointStatus"] == "InService", seen
        assert json.loads(_ask(port, "GET", "/ping").body) == {"status": "Healthy"}
        good = _ask(port, "POST", "/invocations", b"1", X_Asked="me")
        bad = _ask(port, "POST", "/invocations", b"")
        streamed = _ask(port, "POST", "/invocations", b"stream")
        foreign = _ask(port, "POST", "/invocations", b"1", Host="evil.example")
        assert local.invoke("direct", b"1") == '{\n  "said": "hi 1"\n}'

    assert (good.status, good.body) == (200, b'{\n  "said": "hi 1"\n}')
    assert (good.headers["content-type"], good.headers["x-word"]) == ("application/json", "me")
    assert bad.status == 500
    lines = bad.body.decode().splitlines()
    assert lines[0].startswith("integer division")
    assert lines[-1].startswith("ZeroDivisionError")
    assert "content-type" not in bad.headers
    assert (streamed.body, streamed.headers["transfer-encoding"]) == (b"hi 0 hi 1 hi 2 ", "chunked")
    assert foreign.status == 421
    assert _is_refused(port)


def test_a_port_that_is_taken_fails_the_endpoint_by_name(local: LocalAws, tmp_path: Path) -> None:
    folder = _a_folder(tmp_path / "m", "hi")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {"SAGEMAKER_BIND_TO_PORT": str(port)}
        with local.deployed("taken", folder, environment=environment) as seen:
            assert seen["EndpointStatus"] == "Failed"
            assert seen["FailureReason"].startswith(f"port {port} is used by pid ")


@pytest.fixture
def many(local: LocalAws, tmp_path: Path) -> Iterator[tuple[LocalAws, int]]:
    """An endpoint of three archives under a prefix, of which two may be loaded at a time."""
    s3, port = local.client("s3"), _free_port()
    s3.create_bucket(Bucket="many-models")
    for word in ("one", "two", "three"):
        archive = _an_archive(_a_folder(tmp_path / word, word), tmp_path / f"{word}.tar.gz")
        s3.upload_file(str(archive), "many-models", f"m/{word}.tar.gz")
    environment = {"SAGELET_MAX_MODELS": "2", "SAGEMAKER_BIND_TO_PORT": str(port)}
    model = a_model("many", "s3://many-models/m/", environment)
    model["PrimaryContainer"]["Mode"] = "MultiModel"
    local.sagemaker.create_model(**model)
    local.sagemaker.create_endpoint_config(**an_endpoint_config("many"))
    local.sagemaker.create_endpoint(EndpointName="many", EndpointConfigName="many")
    local.wait_in_service("many")
    yield local, port
    local.remove_endpoint("many")
    for word in ("one", "two", "three"):
        s3.delete_object(Bucket="many-models", Key=f"m/{word}.tar.gz")
    s3.delete_bucket(Bucket="many-models")


def test_each_of_three_models_answers_though_only_two_are_loaded(
    many: tuple[LocalAws, int],
) -> None:
    local, port = many

    def says(word: str) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(local.invoke("many", b"1", TargetModel=f"{word}.tar.gz"))
        return said

    assert [says(word)["said"] for word in ("one", "two", "three", "one")] == [
        "one 1",
        "two 1",
        "three 1",
        "one 1",
    ]
    listed = json.loads(_ask(port, "GET", "/models").body)["models"]
    assert len(listed) == 2
    for members, code, words in (
        ({"TargetModel": "four.tar.gz"}, "ValidationError", "Failed to download model data"),
        ({}, "ValidationError", "missing a target model header"),
    ):
        with pytest.raises(ClientError) as caught:
            local.invoke("many", b"1", **members)
        assert caught.value.response["Error"]["Code"] == code
        assert words in caught.value.response["Error"]["Message"]


def test_a_container_of_several_models_is_told_what_to_load(many: tuple[LocalAws, int]) -> None:
    _, port = many
    said = {"model_name": "mine", "url": "/opt/ml/models/two/model"}

    loaded = _ask(port, "POST", "/models", json.dumps(said).encode())
    answer = _ask(port, "POST", "/models/mine/invoke", b"1")
    gone = _ask(port, "DELETE", "/models/mine")
    after = _ask(port, "POST", "/models/mine/invoke", b"1")

    assert (loaded.status, answer.status, gone.status, after.status) == (200, 200, 200, 404)
    assert json.loads(answer.body) == {"said": "two 1"}


def test_a_model_of_its_own_takes_no_target(local: LocalAws, tmp_path: Path) -> None:
    with local.deployed("single", _a_folder(tmp_path / "m", "hi")):
        with pytest.raises(ClientError) as caught:
            local.invoke("single", b"1", TargetModel="a.tar.gz")
        assert caught.value.response["Error"]["Message"] == (
            "Endpoint single is not a multi-model endpoint and does not support target model "
            "header."
        )
