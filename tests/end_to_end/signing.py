"""Requests made by hand: signed as they should be, and then bent as a test wants them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagelet.environments import credentials
from tests.end_to_end.local_aws import REGION, LocalAws


@dataclass(frozen=True)
class Answered:
    """What came back, as it stood on the wire."""

    status: int
    headers: Message
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body's JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def code(self) -> str:
        """AWS's code of an error."""
        return self.headers["x-amzn-errortype"]

    @property
    def message(self) -> str:
        """An error's words."""
        return str(self.document["message"])


class Signer:
    """Signs with a home's own key, unless it is given another, as of now, or some minutes off."""

    def __init__(
        self, local: LocalAws, *, minutes: int = 0, key_id: str = "", secret: str = ""
    ) -> None:
        self._local = local
        ours = credentials.load_or_create(local.home)
        self._key = Credentials(key_id or ours.access_key_id, secret or ours.secret_access_key)
        self._minutes = minutes

    def headers(
        self, method: str, path: str, body: bytes, further: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return the headers of a signed request."""
        request = AWSRequest(
            method, self._local.info.address + path, headers=dict(further or {}), data=body
        )
        # What SigV4Auth.add_auth does, as of another moment than now.
        auth: Any = SigV4Auth(self._key, "sagemaker", REGION)
        moment = datetime.now(UTC) + timedelta(minutes=self._minutes)
        request.context["timestamp"] = moment.strftime(SIGV4_TIMESTAMP)
        auth._modify_request_before_signing(request)
        to_sign = auth.string_to_sign(request, auth.canonical_request(request))
        auth._inject_signature_to_request(request, auth.signature(to_sign, request))
        return dict(request.headers.items())

    def call(
        self,
        target: str,
        document: Mapping[str, Any] | bytes = b"{}",
        *,
        bent: Mapping[str, str | None] | None = None,
    ) -> Answered:
        """Call an operation of the JSON protocol; `bent` changes headers after the signature."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        told = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        headers = self.headers("POST", "/", body, told) | dict(bent or {})
        return send(
            self._local,
            "POST",
            "/",
            body,
            {name: value for name, value in headers.items() if value is not None},
        )


def send(
    local: LocalAws, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> Answered:
    """Send a request with exactly these headers, and a Host where they have none."""
    connection = http.client.HTTPConnection(*local.place, timeout=20)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answered(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
