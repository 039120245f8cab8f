"""One invocation, signed by boto3 and sent over plain connections, as often as it is wanted.

For this machine's endpoints only: no TLS and no proxy is between.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sagelet.cli.context import App

_SIGNED_FOR_S = 120.0
"""A signature is good for five minutes; a new one is made well before that."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it is to be sent."""

    host: str
    port: int | None
    path: str
    headers: Mapping[str, str]
    body: bytes
    signed_at: float


class Signer:
    """Has boto3 sign the request, and again before the signature is too old."""

    def __init__(self, app: App, client: Any, parameters: Mapping[str, Any]) -> None:  # noqa: ANN401
        """Take boto3's client and InvokeEndpoint's parameters."""
        self._app = app
        self._client = client
        self._parameters = parameters
        self._lock = threading.Lock()
        self._request: SignedRequest | None = None

    def request(self) -> SignedRequest:
        """Return the request, freshly signed where that is due; any thread may ask."""
        with self._lock:
            known = self._request
            if known is None or time.monotonic() - known.signed_at > _SIGNED_FOR_S:
                known = self._request = self._signed()
            return known

    def _signed(self) -> SignedRequest:
        """Return what the client would send: it is caught on its way out."""
        caught: list[SignedRequest] = []

        def catch(request: Any, **_event: object) -> Any:  # noqa: ANN401  botocore's own
            from botocore.awsrequest import AWSResponse, HeadersDict

            caught.append(_as_sent(request))
            no_headers: Any = HeadersDict()
            return AWSResponse(request.url, 200, no_headers, io.BytesIO())

        event, name = "before-send.sagemaker-runtime.InvokeEndpoint", "sagelet-signed"
        events = self._client.meta.events
        events.register_first(event, catch, unique_id=name)
        try:
            self._app.exchange("InvokeEndpoint", self._client, **self._parameters)
        finally:
            events.unregister(event, unique_id=name)
        return caught[0]


class Connection:
    """Sends a signed request over a connection of its own, which is kept."""

    def __init__(self, signer: Signer, timeout_s: float) -> None:
        """Connect when the first request is sent."""
        self._signer = signer
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def send(self) -> tuple[int, Mapping[str, str], bytes]:
        """Return the answer's status, headers (in lower case) and body.

        Raises:
            OSError: the connection broke; the next request gets a new one.
            http.client.HTTPException: what came is no HTTP.
        """
        request = self._signer.request()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                request.host, request.port, timeout=self._timeout_s
            )
        try:
            self._connection.request("POST", request.path, request.body, dict(request.headers))
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self._connection = None
            raise
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, headers, body


def _as_sent(request: Any) -> SignedRequest:  # noqa: ANN401  botocore's own
    at = urlsplit(request.url)
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    return SignedRequest(
        at.hostname or "", at.port, at.path, headers, request.body or b"", time.monotonic()
    )
