"""What a request says of its body's content, and whether that is true of what came."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from sagelet.artifacts.checksums import ALGORITHMS, MD5, Digests
from sagelet.artifacts.stored import Checksum
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.signatures import content_sha256

_CHECKSUM = "x-amz-checksum-"
_NOT_CHECKSUMS = {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}
_MD5_BYTES = 16


@dataclass(frozen=True, slots=True)
class Claims:
    """The digests that a body must have. `value` is empty where a trailer will tell it."""

    content_md5: str | None = None
    sha256_hex: str | None = None
    algorithm: str = ""
    value: str = ""

    @classmethod
    def of(cls, head: RequestHead) -> Claims:
        """Read a request's headers; Fault for a digest that cannot be one."""
        md5 = head.headers.get("content-md5")
        if md5 is not None and len(_decoded(md5)) != _MD5_BYTES:
            raise Fault("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
        given = _checksums(head.headers.names())
        promised = _checksums(head.headers.get("x-amz-trailer", "").split(","))
        named = given + promised
        if len(named) > 1:
            raise Fault(
                "InvalidRequest",
                400,
                "Expecting a single x-amz-checksum- header. "
                "Multiple checksum Types are not allowed.",
            )
        value = head.headers[_CHECKSUM + given[0]] if given else ""
        if given:
            _check_form(given[0], value)
        return cls(md5, content_sha256(head), named[0] if named else "", value)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What has to be computed besides the MD5."""
        wanted = {self.algorithm, "sha256" if self.sha256_hex else ""} - {"", MD5}
        return tuple(sorted(wanted))

    def check(self, digests: Digests, trailers: Headers) -> Checksum | None:
        """Return the checksum to keep with the object; Fault where a claim is not true."""
        if self.sha256_hex and digests.raw("sha256").hex() != self.sha256_hex:
            raise Fault(
                "XAmzContentSHA256Mismatch",
                400,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                {
                    "ClientComputedContentSHA256": self.sha256_hex,
                    "S3ComputedContentSHA256": digests.raw("sha256").hex(),
                },
            )
        if self.content_md5 and digests.raw(MD5) != _decoded(self.content_md5):
            raise Fault(
                "BadDigest",
                400,
                "The Content-MD5 you specified did not match what we received.",
                {"ExpectedDigest": self.content_md5, "CalculatedDigest": digests.base64(MD5)},
            )
        return self._checksum(digests, trailers) if self.algorithm else None

    def _checksum(self, digests: Digests, trailers: Headers) -> Checksum:
        value = self.value or trailers.get(_CHECKSUM + self.algorithm, "")
        if not value:
            raise Fault(
                "MalformedTrailerError",
                400,
                "The request contained trailing data that was not well-formed "
                "or did not conform to our published schema.",
            )
        _check_form(self.algorithm, value)
        if value != digests.base64(self.algorithm):
            raise bad_checksum(self.algorithm)
        return Checksum(self.algorithm, value)


def bad_checksum(algorithm: str) -> Fault:
    """Return the fault for a checksum that is not the body's."""
    return Fault(
        "BadDigest",
        400,
        f"The {algorithm.upper()} you specified did not match the calculated checksum.",
    )


def algorithm_of(text: str) -> str:
    """Return our name for an algorithm that a request names, if any; Fault for an unknown one."""
    name = text.lower()
    if name and name not in ALGORITHMS:
        raise Fault("NotImplemented", 501, f"The checksum algorithm {text[:40]} is not served.")
    return name


def _checksums(names: Iterable[str]) -> list[str]:
    stripped = [name.strip().lower() for name in names]
    found = [
        name.removeprefix(_CHECKSUM)
        for name in stripped
        if name.startswith(_CHECKSUM) and name not in _NOT_CHECKSUMS
    ]
    return [algorithm_of(name) for name in found]


def _check_form(algorithm: str, value: str) -> None:
    if len(_decoded(value)) != len(ALGORITHMS[algorithm]().digest()):
        raise Fault("InvalidRequest", 400, f"Value for {_CHECKSUM}{algorithm} header is invalid.")


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""
