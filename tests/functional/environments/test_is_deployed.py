"""`isDeployed` against a server on loopback that answers DescribeEndpoint."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import RemoteRefused, RemoteUnreachable

Answer = tuple[int, dict[str, str]]


class Endpoint:
    """Answers every call with what it was told to."""

    def __init__(self) -> None:
        self.answer: Answer = (200, {})
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                status, document = outer.answer
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join(5)
    made.server.server_close()


@pytest.fixture
def ask(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    port = endpoint.server.server_port
    (tmp_path / "sagelet.yml").write_text(
        "environments:\n  emulator:\n    model_name: m\n    region: us-east-1\n"
        f"    endpoint_url: http://127.0.0.1:{port}\n",
        encoding="utf-8",
    )
    return DeployEnv(environment="emulator", start=tmp_path).isDeployed


@pytest.mark.parametrize(
    ("status", "serves"),
    [("InService", True), ("Updating", True), ("Creating", False), ("Failed", False)],
)
def test_an_endpoint_is_deployed_when_it_serves(
    endpoint: Endpoint, ask: Callable[[], bool], status: str, serves: bool
) -> None:
    endpoint.answer = (200, {"EndpointStatus": status})
    assert ask() is serves
    assert endpoint.asked == [{"EndpointName": "m"}]


def test_an_endpoint_that_does_not_exist_is_not_deployed(
    endpoint: Endpoint, ask: Callable[[], bool]
) -> None:
    message = 'Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/m".'
    endpoint.answer = (400, {"__type": "ValidationException", "message": message})
    assert ask() is False


def test_another_refusal_is_raised_as_ours(endpoint: Endpoint, ask: Callable[[], bool]) -> None:
    endpoint.answer = (400, {"__type": "AccessDeniedException", "message": "no"})
    with pytest.raises(RemoteRefused, match="DescribeEndpoint: AccessDeniedException: no"):
        ask()


def test_nobody_there_is_raised_as_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (tmp_path / "sagelet.yml").write_text(
        "environments: {e: {model_name: m, region: r, endpoint_url: 'http://127.0.0.1:9'}}\n",
        encoding="utf-8",
    )
    with pytest.raises(RemoteUnreachable):
        DeployEnv(environment="e", start=tmp_path).is_deployed()
