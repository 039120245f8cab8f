"""Requests as bytes: signed as botocore signs them, at any moment, and then bent at will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = "AKIDSAGELETLOCAL"
SECRET = "local/secret+of=this-machine"
HOST = "127.0.0.1:7543"
REGION = "us-east-1"

Fields = list[tuple[str, str]]


def signed(
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    at: datetime | None = None,
    key: str = KEY,
    secret: str = SECRET,
    service: str = "sagemaker",
) -> Fields:
    """Return the header fields of a signed request, Host and Content-Length among them."""
    request = AWSRequest(method, f"http://{HOST}{path}", headers=dict(headers or {}), data=body)
    # What SigV4Auth.add_auth does, as of another moment than now.
    auth: Any = SigV4Auth(Credentials(key, secret), service, REGION)
    moment = at or datetime.now(UTC)
    request.context["timestamp"] = moment.strftime(SIGV4_TIMESTAMP)
    auth._modify_request_before_signing(request)
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(to_sign, request))
    return [("Host", HOST), *request.headers.items(), ("Content-Length", str(len(body)))]


def raw(
    path: str,
    fields: Iterable[tuple[str, str]],
    body: bytes = b"",
    *,
    method: str = "POST",
    version: str = "1.1",
) -> bytes:
    """Return a request as it is sent."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{method} {path} HTTP/{version}\r\n{lines}\r\n".encode("latin-1") + body
