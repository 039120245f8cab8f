"""boto3 on one side, our wire on the other, nothing between them: no socket, no server."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from sagelet.wire.documents import Document, Value
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead, Response
from sagelet.wire.parsing import parse
from sagelet.wire.routing import Route, route
from sagelet.wire.serializing import serialize, serialize_fault
from sagelet.wire.signatures import Signature, Verifier
from sagelet.wire.validation import validate

KEY = "AKIDSAGELETLOCAL"
SECRET = "local/secret+of=this-machine"
HOST = "127.0.0.1:7543"
ADDRESS = f"http://{HOST}"


Client = Any
"""A boto3 client: its methods are made of the model when it is, and are not known before."""

make_client: Callable[..., Client] = boto3.client


class SystemTime:
    """botocore signs with the machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def a_verifier() -> Verifier:
    return Verifier({KEY: SECRET}.get, SystemTime())


def head_of(method: str, url: str, headers: Iterable[tuple[str, object]] = ()) -> RequestHead:
    """What a server sees of a request that botocore is about to send."""
    parts = urlsplit(url)
    pairs = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in headers
    ]
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("Host", HOST))
    return RequestHead(method, parts.path, parts.query, Headers(pairs))


def body_of(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")


@dataclass
class Seen:
    """What arrived, as our side understood it."""

    head: RequestHead
    body: bytes
    route: Route
    document: Document
    signature: Signature


@dataclass
class Loopback:
    """Answers every call of a client with `answer`, a document or a fault."""

    answer: Document | Fault = field(default_factory=dict)
    stream: bytes = b""
    seen: list[Seen] = field(default_factory=list)
    validated: bool = True

    def client(self, service: str, *, address: str = ADDRESS, **settings: Value) -> Client:
        client = make_client(
            service,
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"max_attempts": 1, "mode": "standard"}, **settings),
        )
        client.meta.events.register("before-send", self._receive)
        return client

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def _receive(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        head = head_of(request.method, request.url, request.headers.items())
        body = body_of(request)
        chosen = route(head, body)
        signature = a_verifier().verify(
            head,
            body_sha256=None if chosen.service == "s3" else hashlib.sha256(body).hexdigest(),
            service=chosen.operation.service_model.signing_name,
        )
        streamed = chosen.service == "s3" and chosen.operation.name in ("PutObject", "UploadPart")
        document = parse(chosen, head, b"" if streamed else body)
        if self.validated:
            validate(document, chosen.operation)
        self.seen.append(Seen(head, body, chosen, document, signature))
        return sent_back(request.url, self._answered(chosen, head), self.stream)

    def _answered(self, chosen: Route, head: RequestHead) -> Response:
        if isinstance(self.answer, Fault):
            return serialize_fault(chosen, self.answer, request_id="rid-1", resource=head.path)
        return serialize(chosen, self.answer, request_id="rid-1")


def sent_back(url: str, response: Response, stream: bytes = b"") -> AWSResponse:
    """Our answer as botocore's HTTP layer would hand it on."""
    return AWSResponse(
        url,
        response.status,
        cast("HTTPHeaders", dict(response.headers)),  # It makes a case-insensitive dict of it.
        _Raw(response.body or stream),
    )


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, amt: int = 1024, decode_content: bool | None = None) -> Iterator[bytes]:
        while piece := self.read(amt):
            yield piece
