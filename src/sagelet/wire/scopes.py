"""Who signed a request, and for which service: what its credential says, before it is verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sagelet.wire.messages import RequestHead

ALGORITHM = "AWS4-HMAC-SHA256"
_TERMINATOR = "aws4_request"


@dataclass(frozen=True, slots=True)
class Credential:
    """An access key's id, and the day, region and service that a signature made with it is for."""

    access_key_id: str
    date: str
    region: str
    service: str

    @property
    def scope(self) -> str:
        """The credential scope, as it stands in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/{_TERMINATOR}"


@dataclass(frozen=True, slots=True)
class Authorization:
    """The three parts of a signature, from a header or from a query."""

    credential: Credential
    signed_headers: tuple[str, ...]
    signature: str


Presigning = Literal["v2", "v4"]


def presigning(head: RequestHead) -> Presigning | None:
    """Say how a query is signed, where one is."""
    names = {name for name, _ in head.query}
    if "X-Amz-Algorithm" in names or "X-Amz-Signature" in names:
        return "v4"
    if {"AWSAccessKeyId", "Signature"} <= names:
        return "v2"
    return None


def parse_credential(text: str) -> Credential | None:
    """Read `KEY/20260102/us-east-1/sagemaker/aws4_request`."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != _TERMINATOR or not all(parts):
        return None
    return Credential(*parts[:4])


def parse_authorization(value: str) -> Authorization | None:
    """Read `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=a;b, Signature=…`."""
    algorithm, _, rest = value.strip().partition(" ")
    if algorithm != ALGORITHM:
        return None
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: text for name, _, text in pairs}
    return authorization(
        parts.get("Credential", ""), parts.get("SignedHeaders", ""), parts.get("Signature", "")
    )


def authorization(credential: str, signed_headers: str, signature: str) -> Authorization | None:
    """Put the three parts together, or return nothing where one is missing or malformed."""
    parsed = parse_credential(credential)
    if parsed is None or not signed_headers or not signature:
        return None
    return Authorization(parsed, tuple(signed_headers.lower().split(";")), signature)


def credential_of(head: RequestHead) -> Credential | None:
    """Return what a request claims to be signed with, header before query; nothing for SigV2."""
    found = parse_authorization(head.headers.get("authorization", ""))
    if found is not None:
        return found.credential
    return parse_credential(dict(head.query).get("X-Amz-Credential", ""))
