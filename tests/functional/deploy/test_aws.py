"""The adapter over boto3, against a server on loopback that answers as it is told."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sagelet.deploy.aws import AwsRemote
from sagelet.deploy.remote import Identity, WantedEndpointConfig, WantedJob, WantedModel
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import NoCredentials, RemoteRefused, RemoteUnreachable

JOB = WantedJob(
    name="j",
    image="i",
    role="arn:aws:iam::123456789012:role/Role",
    program="train.py",
    source_url="s3://b/k",
    output_url="s3://b/out",
    region="eu-west-1",
    instance_type="ml.m5.xlarge",
    hosts=1,
    hyperparameters={},
    channels={"training": "s3://b/data/"},
    metrics={},
)


@dataclass
class Call:
    """A request: its operation (or method and path), its headers and its body."""

    what: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found


@dataclass
class Api:
    """Answers by operation, and remembers the calls."""

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def says(self, operation: str, document: object, status: int = 200) -> None:
        self.answers[operation] = (status, json.dumps(document).encode())

    def refuses(self, operation: str, code: str, message: str) -> None:
        self.says(operation, {"__type": code, "message": message}, 400)

    def answer(self, call: Call) -> tuple[int, bytes]:
        self.calls.append(call)
        return self.answers.get(call.what, (200, b"{}"))


class _Handler(http.server.BaseHTTPRequestHandler):
    api: Api
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target")
        action = re.search(rb"Action=(\w+)", body)
        what = f"{self.command} {self.path.partition('?')[0]}"
        if target is not None:
            what = target.partition(".")[2]
        elif action is not None:
            what = action[1].decode()
        status, content = self.api.answer(Call(what, dict(self.headers), body))
        self.send_response(status)
        for name, value in self.api.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = _respond  # noqa: N815  http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def address(api: Api) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"api": api})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def remote(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsRemote:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    (tmp_path / "sagelet.yml").write_text(
        f"environments: {{p: {{region: eu-west-1, endpoint_url: '{address}'}}}}\n",
        encoding="utf-8",
    )
    return AwsRemote(DeployEnv(environment="p", start=tmp_path))


def test_an_endpoint_is_seen_as_it_is_described(api: Api, remote: AwsRemote) -> None:
    api.says(
        "DescribeEndpoint",
        {
            "EndpointName": "e",
            "EndpointStatus": "Failed",
            "EndpointConfigName": "c",
            "FailureReason": "no ping",
            "LastModifiedTime": 1.5,
        },
    )
    seen = remote.find_endpoint("e")
    assert seen is not None
    assert (seen.status, seen.config_name, seen.failure_reason) == ("Failed", "c", "no ping")
    assert seen.last_modified_at.timestamp() == 1.5


def test_only_a_held_call_names_itself_a_waiters(api: Api, remote: AwsRemote) -> None:
    api.refuses("DescribeEndpoint", "ValidationException", 'Could not find endpoint "x".')
    assert remote.find_endpoint("e") is None
    assert remote.find_endpoint("e", held=True) is None
    features = [
        set(found[1].split(","))
        for call in api.calls
        if (found := re.search(r" m/(\S+)", call.headers["User-Agent"]))
    ]
    assert ["B" in found for found in features] == [False, True]


def test_what_is_absent_is_told_from_what_is_refused(api: Api, remote: AwsRemote) -> None:
    api.refuses("DescribeModel", "ValidationException", 'Could not find model "x".')
    api.refuses("DescribeEndpointConfig", "AccessDeniedException", "no")
    assert not remote.model_exists("m")
    with pytest.raises(RemoteRefused) as raised:
        remote.endpoint_config_exists("c")
    assert (raised.value.operation, raised.value.code, raised.value.status) == (
        "DescribeEndpointConfig",
        "AccessDeniedException",
        400,
    )
    api.says("DescribeModel", {"ModelName": "m"})
    assert remote.model_exists("m")


def test_resources_are_made_with_tags(api: Api, remote: AwsRemote) -> None:
    tags = {"sagelet:project": "p"}
    remote.create_model(WantedModel("m", "i", "s3://b/k", JOB.role, {"A": "b"}), tags)
    remote.create_endpoint_config(WantedEndpointConfig("c", "m", "ml.m5.large"), tags)
    remote.create_endpoint("e", "c", tags)
    remote.create_training_job(JOB, tags)
    remote.update_endpoint("e", "c2")
    remote.delete_endpoint("e")
    assert [call.what for call in api.calls] == [
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "CreateTrainingJob",
        "UpdateEndpoint",
        "DeleteEndpoint",
    ]
    for call in api.calls[:4]:
        assert call.document["Tags"] == [{"Key": "sagelet:project", "Value": "p"}]
    assert api.calls[4].document == {"EndpointName": "e", "EndpointConfigName": "c2"}


def test_a_roles_name_is_expanded_once_by_iam(api: Api, remote: AwsRemote) -> None:
    role = f"<Arn>{JOB.role}</Arn><Path>/</Path><RoleName>R</RoleName><RoleId>1</RoleId>"
    result = f"<GetRoleResult><Role>{role}</Role></GetRoleResult>"
    api.answers["GetRole"] = (200, f"<GetRoleResponse>{result}</GetRoleResponse>".encode())
    for name in ("m1", "m2"):
        remote.create_model(WantedModel(name, "i", "s3://b/k", "R", {}), {})
    assert [call.what for call in api.calls] == ["GetRole", "CreateModel", "CreateModel"]
    assert api.calls[2].document["ExecutionRoleArn"] == JOB.role


def test_a_role_that_is_not_there_is_refused_as_ours(api: Api, remote: AwsRemote) -> None:
    error = "<Error><Code>NoSuchEntity</Code><Message>no role R</Message></Error>"
    api.answers["GetRole"] = (404, f"<ErrorResponse>{error}</ErrorResponse>".encode())
    with pytest.raises(RemoteRefused, match="NoSuchEntity: no role R"):
        remote.create_model(WantedModel("m", "i", "s3://b/k", "R", {}), {})


def test_the_caller_is_asked_of_sts(api: Api, remote: AwsRemote) -> None:
    who = "<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/me</Arn>"
    result = f"<GetCallerIdentityResult>{who}</GetCallerIdentityResult>"
    api.answers["GetCallerIdentity"] = (
        200,
        f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>".encode(),
    )
    assert remote.identity() == Identity("123456789012", "arn:aws:iam::123456789012:user/me")


def test_objects_and_buckets_that_are_not_there(api: Api, remote: AwsRemote) -> None:
    api.answers["HEAD /b"] = api.answers["HEAD /b/k"] = (404, b"")
    api.answers["GET /b"] = (404, b"<Error><Code>NoSuchBucket</Code></Error>")
    assert not remote.bucket_exists("b")
    assert remote.object_version("b", "k") is None
    assert remote.object_sizes("b", "p/") == {}


def test_a_bucket_of_somebody_else_is_a_refusal(api: Api, remote: AwsRemote) -> None:
    api.answers["HEAD /b"] = api.answers["HEAD /b/k"] = (403, b"")
    for ask in (lambda: remote.bucket_exists("b"), lambda: remote.object_version("b", "k")):
        with pytest.raises(RemoteRefused):
            ask()


def test_objects_are_found_and_uploaded(api: Api, remote: AwsRemote, tmp_path: Path) -> None:
    contents = "".join(
        f"<Contents><Key>p/{name}</Key><Size>{size}</Size></Contents>"
        for name, size in (("a", 1), ("b", 2))
    )
    api.answers["GET /b"] = (200, f"<ListBucketResult>{contents}</ListBucketResult>".encode())
    api.answers["PUT /b/k"] = (200, b"")
    api.headers["ETag"] = '"e1"'
    assert remote.bucket_exists("b")
    assert remote.object_version("b", "k") == "e1"
    assert remote.object_sizes("b", "p/") == {"p/a": 1, "p/b": 2}
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"archive")
    remote.upload(file, "b", "k")
    assert api.calls[-1].what == "PUT /b/k"
    assert b"archive" in api.calls[-1].body


def test_a_refused_upload_is_ours(api: Api, remote: AwsRemote, tmp_path: Path) -> None:
    api.answers["PUT /b/k"] = (403, b"<Error><Code>AccessDenied</Code></Error>")
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"archive")
    with pytest.raises(RemoteRefused) as raised:
        remote.upload(file, "b", "k")
    assert (raised.value.code, raised.value.status) == ("AccessDenied", 403)


def test_a_bucket_is_made_in_the_region(api: Api, remote: AwsRemote) -> None:
    api.answers["PUT /b"] = (200, b"")
    remote.create_bucket("b")
    assert b"<LocationConstraint>eu-west-1</LocationConstraint>" in api.calls[-1].body


def test_the_remote_says_where_it_is(address: str, remote: AwsRemote) -> None:
    assert remote.region == "eu-west-1"
    assert remote.address == address


def test_nobody_there_and_nothing_to_sign_with_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (tmp_path / "sagelet.yml").write_text(
        "environments: {p: {region: r, endpoint_url: 'http://127.0.0.1:9'}}\n", encoding="utf-8"
    )
    with pytest.raises(NoCredentials):
        AwsRemote(DeployEnv(environment="p", start=tmp_path)).model_exists("m")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with pytest.raises(RemoteUnreachable):
        AwsRemote(DeployEnv(environment="p", start=tmp_path)).model_exists("m")
