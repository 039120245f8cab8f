"""S3 behind a minimal application on a real socket, for real clients."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sagelet.artifacts.objects import Buckets
from sagelet.buckets.service import S3
from sagelet.domain.clock import SystemClock
from sagelet.server.protocol import BoundedHttpProtocol
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead, Response, StreamedResponse
from sagelet.wire.serializing import serialize_fault
from sagelet.wire.signatures import Verifier

KEY, SECRET = "AKIASAGELETTEST", "a secret of nobody"
PLAIN = Config(retries={"total_max_attempts": 1})


class S3App:
    """Verifies, hands over, and answers; what the daemon does with S3's requests."""

    def __init__(self, buckets: Buckets) -> None:
        clock = SystemClock()
        self._s3 = S3(buckets, clock)
        self._verifier = Verifier({KEY: SECRET}.get, clock)
        self.seen: list[RequestHead] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        pairs = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        head = RequestHead(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            Headers(pairs),
        )
        self.seen.append(head)
        answer: Response | StreamedResponse
        try:
            self._verifier.verify(head, body_sha256=None)
            answer = await self._s3.handle(head, Request(scope, receive).stream())
        except Fault as fault:
            answer = serialize_fault("s3", fault, request_id="1", method=head.method)
        await _send(answer, head.method, send)


async def _send(answer: Response | StreamedResponse, method: str, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if isinstance(answer, Response):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if method != "HEAD":
        async for part in _parts(answer):
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _parts(answer: Response | StreamedResponse) -> AsyncIterator[bytes]:
    if isinstance(answer, Response):
        yield answer.body
    else:
        async for part in answer.body:
            yield part


@dataclass(frozen=True)
class Served:
    """A running server, the buckets behind it, and what it was asked."""

    address: str
    buckets: Buckets
    seen: list[RequestHead]

    def client(self, config: Config = PLAIN, *, verify: str | None = None) -> S3Client:
        """Return a boto3 client as a script would make it."""
        return _session().client("s3", endpoint_url=self.address, config=config, verify=verify)

    def new_bucket(self) -> str:
        """Make a bucket that no other test uses."""
        name = f"bucket-{os.urandom(6).hex()}"
        self.buckets.create_bucket(name)
        return name


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session(KEY, SECRET, region_name="us-east-1")


def code_of(error: ClientError) -> tuple[str, int]:
    """Return an error's code and its HTTP status."""
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


def refused(call: Callable[..., object], **parameters: object) -> tuple[str, int]:
    """Make a call that must fail, and return its error's code and status."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return code_of(raised.value)


@contextlib.contextmanager
def serving(root: Path, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Served]:
    """Run a server on a port of its own for as long as the context lasts."""
    buckets = Buckets(root)
    app = S3App(buckets)
    config = uvicorn.Config(
        app, port=0, http=BoundedHttpProtocol, log_level="warning", lifespan="off", ws="none"
    )
    if certificate:
        config.ssl_certfile, config.ssl_keyfile = certificate
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    scheme = "https" if certificate else "http"
    try:
        yield Served(f"{scheme}://127.0.0.1:{port}", buckets, app.seen)
    finally:
        server.should_exit = True
        thread.join(10)
