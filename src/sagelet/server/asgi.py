"""Between ASGI's dictionaries and the wire's messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, runtime_checkable

from sagelet.wire.messages import Headers, RequestHead, Response, StreamedResponse


@runtime_checkable
class Closing(Protocol):
    """A body that wants to know that it is read no further."""

    async def aclose(self) -> None:
        """Leave it."""
        ...


Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def head_of(scope: MutableMapping[str, Any]) -> RequestHead:
    """Return the head of a request."""
    return RequestHead(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=Headers(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        ),
    )


async def send_response(answer: Response | StreamedResponse, send: Send, *, bodiless: bool) -> None:
    """Send an answer; `bodiless` is for a HEAD request."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    names = {name.lower() for name, _ in answer.headers}
    if isinstance(answer, Response) and "content-length" not in names:
        headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if bodiless:
        await send({"type": "http.response.body", "body": b""})
    elif isinstance(answer, Response):
        await send({"type": "http.response.body", "body": answer.body})
    else:
        try:
            async for part in answer.body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            if isinstance(answer.body, Closing):
                await answer.body.aclose()
        await send({"type": "http.response.body", "body": b""})
