"""Which requests are the web app's, and how they get there under the daemon's own bounds.

Its pages are asked for by browsers, its API (`/api/v1/…`) by browsers and, signed for the service
`sagelet`, by programs. A request that is signed for S3 means a bucket that is called `api`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from sagelet.server.asgi import Send
from sagelet.server.bodies import BODY_S, Receive, too_large, too_slow
from sagelet.wire.messages import RequestHead
from sagelet.wire.scopes import credential_of, presigning

API = "/api/v1/"

_PAGES = re.compile(
    r"/(?:(?:endpoints|jobs|models|keys|settings|about|login|logout|static|p)(?:/.*)?)?"
)
_TAKES_KEYS = re.compile(
    r"/api/v1/(?:predict/[^/]+|endpoints/[^/]+/(?:schema|examples|openapi\.json))"
)
_AWS_OWN = re.compile(r"/endpoints/[^/]+/invocations(?:-response-stream)?")


class WebApp(Protocol):
    """The web app, behind the gate."""

    def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Answer one request."""
        ...

    def end_streams(self) -> None:
        """Let go of everybody who waits for what happens."""
        ...


def is_for_the_web(head: RequestHead) -> bool:
    """Say whether a request is for the API or for a page."""
    return _is_for_the_api(head) or _is_for_a_page(head)


def shows_page(head: RequestHead) -> bool:
    """Say whether a link may lead to what is asked for: it is a page, and only looked at."""
    is_file = head.raw_path.startswith("/static/")
    return head.method == "GET" and _is_for_a_page(head) and not is_file


def takes_keys(head: RequestHead) -> bool:
    """Say whether an API key is good for what a request asks for, on the page of another site too.

    The web app answers a foreign Origin there if the key names it: see `web.access.origins`.
    """
    return _is_for_the_api(head) and _TAKES_KEYS.fullmatch(head.raw_path) is not None


def _is_for_the_api(head: RequestHead) -> bool:
    if not head.raw_path.startswith(API):
        return False
    credential = credential_of(head)
    return presigning(head) is None and (credential is None or credential.service != "s3")


def _is_for_a_page(head: RequestHead) -> bool:
    """Say whether a request is for a page: it is not signed, and its path is one of theirs.

    AWS's clients sign; those that do not are refused in AWS's words where the path or the method is
    only AWS's. A bucket with the name of a page is reached by signed requests.
    """
    return (
        credential_of(head) is None
        and presigning(head) is None
        and "x-amz-target" not in head.headers
        and not (head.raw_path == "/" and head.method not in ("GET", "HEAD"))
        and _PAGES.fullmatch(head.raw_path) is not None
        and _AWS_OWN.fullmatch(head.raw_path) is None
    )


class WebDoor:
    """Passes requests on to the web app, which is built when the first one comes.

    Its libraries take memory that a daemon which nobody looks at need not have.
    """

    def __init__(self, build: Callable[[], WebApp], *, max_body_bytes: int) -> None:
        """Keep how it is built."""
        self._build = build
        self._app: WebApp | None = None
        self._max_body_bytes = max_body_bytes

    async def answer(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request that passed the gate."""
        if self._app is None:
            self._app = self._build()
        body = BoundedBody(receive, self._max_body_bytes)
        await self._app(scope, body.receive, send)

    def end_streams(self) -> None:
        """End the answers that would go on for ever: the daemon is stopping."""
        if self._app is not None:
            self._app.end_streams()


class BoundedBody:
    """A request's body that is neither endless (413) nor endlessly slow (408)."""

    def __init__(self, receive: Receive, limit: int) -> None:
        """Begin to count, in bytes and in time."""
        self._receive = receive
        self._limit = self._left = limit
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + BODY_S

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next part; what is over the bounds ends as if the peer had left."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise too_slow() from error
        self._left -= len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise too_large("RequestTooLarge", self._limit)
        return message
