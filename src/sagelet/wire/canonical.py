"""What is signed: canonical requests of Signature Version 4, and Version 2's string of S3.

Both are made from the raw path and query. See "Create a signed AWS API request" in the IAM User
Guide, and "Signing and authenticating REST requests" in S3's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import quote, unquote, unquote_to_bytes

from botocore.utils import normalize_url_path

from sagelet.wire.messages import RequestHead, as_text
from sagelet.wire.scopes import ALGORITHM, Credential

# The query parameters that Version 2 signs, from S3's guide and as today's clients have them.
_V2_PARAMETERS = frozenset(
    [
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory"),
        *("lifecycle", "location", "logging", "metrics", "notification", "object-lock"),
        *("partNumber", "policy", "replication", "requestPayment", "restore", "select"),
        *("select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads"),
        *("versionId", "versioning", "versions", "website"),
        *("response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires"),
    ]
)


def v4_signature(secret: str, credential: Credential, timestamp: str, canonical: str) -> str:
    """Return the signature of a canonical request, in hex."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join((ALGORITHM, timestamp, credential.scope, digest))
    return hmac.digest(v4_key(secret, credential), text.encode(), "sha256").hex()


def v4_key(secret: str, credential: Credential) -> bytes:
    """Return the key that a secret gives for a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (credential.date, credential.region, credential.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def v4_request(
    head: RequestHead, signed_headers: Iterable[str], payload_hash: str, *, service: str
) -> str:
    """Return the canonical request. A signature in the query itself is not part of it."""
    names = list(signed_headers)
    lines = [f"{name}:{_header(head, name)}" for name in names]
    return "\n".join(
        (
            head.method,
            _path(head.raw_path, service),
            _query(head.raw_query),
            *lines,
            "",
            ";".join(names),
            payload_hash,
        )
    )


def v2_signature(secret: str, text: str) -> str:
    """Return the signature of Version 2's string, in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def v2_strings(head: RequestHead, expires: str) -> list[str]:
    """Return the strings that a presigned URL of Version 2 may have been made from.

    They are two where only a bucket is named: clients sign its path with a slash at the end.
    """
    query = dict(head.query)
    standard = [
        head.headers.get(name, query.get(name, "")) for name in ("content-md5", "content-type")
    ]
    amz = {name: value for name, value in query.items() if name.startswith("x-amz-")}
    amz |= {name: _header(head, name) for name in head.headers.names() if name[:6] == "x-amz-"}
    lines = [head.method, *standard, expires, *(f"{name}:{amz[name]}" for name in sorted(amz))]
    paths = [head.raw_path]
    if head.raw_path.count("/") == 1 and head.raw_path != "/":
        paths.append(f"{head.raw_path}/")
    return ["\n".join((*lines, path + _v2_query(head.raw_query))) for path in paths]


def _header(head: RequestHead, name: str) -> str:
    return ",".join(" ".join(as_text(value).split()) for value in head.headers.get_all(name))


def _path(raw_path: str, service: str) -> str:
    # S3's path is signed as it is sent. Everybody else's is tidied, and encoded once more.
    if service == "s3":
        return raw_path
    return quote(normalize_url_path(raw_path), safe="/~")


def _query(raw_query: str) -> str:
    pairs = (pair.partition("=") for pair in raw_query.split("&") if pair)
    encoded = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded if name != "X-Amz-Signature")


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="-_.~")


def _v2_query(raw_query: str) -> str:
    pairs = [pair.split("=", 1) for pair in raw_query.split("&") if pair]
    signed = sorted((pair for pair in pairs if pair[0] in _V2_PARAMETERS), key=lambda pair: pair[0])
    if not signed:
        return ""
    return "?" + "&".join("=".join((pair[0], *map(unquote, pair[1:]))) for pair in signed)
