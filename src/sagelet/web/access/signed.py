"""Requests that are signed like AWS's, for the service `sagelet`: by the CLI, by other programs."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.types import Message, Receive

from sagelet.wire.messages import Headers, RequestHead

SERVICE = "sagelet"


def is_signed(request: Request) -> bool:
    """Say whether a request claims a signature, which covers its body."""
    return request.headers.get("authorization", "").startswith("AWS4-")


async def body_digest(request: Request, receive: Receive) -> tuple[str, Receive]:
    """Read a request's body; return its SHA-256 in hex, and what gives the body once more."""
    body = await request.body()
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return parts.pop() if parts else await receive()

    return hashlib.sha256(body).hexdigest(), received


def head_of(request: Request) -> RequestHead:
    """Return a request's head as signatures are made of it."""
    return RequestHead(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("latin-1"),
        raw_query=request.scope["query_string"].decode("latin-1"),
        headers=Headers(
            [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw]
        ),
    )
