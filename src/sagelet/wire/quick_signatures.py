"""Signature Version 4 in its plain form, verified from raw header bytes in a few microseconds.

`QuickVerifier` says yes, or that it cannot tell: then `signatures.Verifier` decides, and finds the
words of a refusal. What it says yes to, `Verifier` would let in too: one header of each name, a
path without escapes, no query, ASCII values that need no tidying.

It keeps what stays the same from one request of a client to the next: the key that is derived from
a secret for a day, a region and a service, and which headers are signed; its caller may keep what
`signed` returns as long as nothing but the time and the body changes. Nobody keeps that a request
was verified. A request that is sent again within its five minutes is let in, as it is by
AWS, since a signature says who asks and not how often; but each time its clock, its headers, its
body's digest and its signature are compared anew, and a key that was removed is unknown at once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from sagelet.domain.clock import Clock
from sagelet.wire.canonical import v4_key
from sagelet.wire.scopes import ALGORITHM, parse_authorization
from sagelet.wire.signed_parts import basic_time

if TYPE_CHECKING:
    from hashlib import _Hash

_SKEW = timedelta(minutes=5)
SIGNATURE = b"Signature="
DATE = b"x-amz-date"
_MARK = b"\0"  # no header value holds one
_SIGNERS_AT_MOST = 256
_BLOCK_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Signer:
    """Whoever signs with one key, on one day, the same headers.

    `canonical` and `to_sign` are templates; `values` picks the signed headers' values. `inner` and
    `outer` are HMAC's two hashes, already fed with the derived key.
    """

    access_key_id: str
    secret: str
    date: bytes
    covered: frozenset[bytes]
    values: Callable[[Mapping[bytes, bytes]], tuple[bytes, ...]]
    canonical: bytes
    to_sign: bytes
    inner: _Hash
    outer: _Hash

    def signature(self, text: bytes) -> bytes:
        """Return the signature of a string to sign, in hex."""
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest().encode()


@dataclass(slots=True)
class Signed:
    """A canonical request but for its time, which stands between two parts, and its body."""

    signer: _Signer
    before: bytes
    after: bytes

    @property
    def covered(self) -> frozenset[bytes]:
        """The names of the headers that are signed."""
        return self.signer.covered


class QuickVerifier:
    """Verifies POSTs to one service. `secret_of` and `clock` are those of the other verifier."""

    def __init__(
        self, secret_of: Callable[[str], str | None], clock: Clock, *, service: str
    ) -> None:
        """Know nobody yet. `service` is the name that requests are signed for."""
        self._secret_of = secret_of
        self._clock = clock
        self._service = service
        self._signers: dict[bytes, _Signer] = {}

    def accepts(self, path: bytes, headers: Mapping[bytes, bytes], body: bytes) -> bool:
        """Say whether a request is surely signed as it must be.

        `path` holds no character that needs an escape; the names in `headers` are lower-cased.
        """
        claim, _, given = headers.get(b"authorization", b"").rpartition(SIGNATURE)
        signed = self.signed(claim, path, headers)
        return signed is not None and self.agrees(signed, headers[DATE], given, body)

    def signed(self, claim: bytes, path: bytes, headers: Mapping[bytes, bytes]) -> Signed | None:
        """Return what a request has in common with those that differ in time and body only.

        `claim` is what stands before the signature. None where we cannot tell.
        """
        signer = self._signers.get(claim)
        if signer is None or self._secret_of(signer.access_key_id) != signer.secret:
            signer = self._learn(claim) if claim else None
        if signer is None or DATE not in headers or _leaves_out(signer, headers):
            return None
        try:
            values = signer.values({**headers, DATE: _MARK})
        except KeyError:
            return None
        parts = (signer.canonical % (path, *values)).split(_MARK)
        if len(parts) != 2 or not _is_plain(b"".join(parts)):
            return None
        return Signed(signer, parts[0], parts[1])

    def agrees(self, signed: Signed, timestamp: bytes, given: bytes, body: bytes) -> bool:
        """Say whether a time and a body are surely signed, now, by who signed the rest."""
        signer = signed.signer
        if (
            self._secret_of(signer.access_key_id) != signer.secret
            or not timestamp.isalnum()
            or not self._is_timely(signer, timestamp)
        ):
            return False
        body_digest = hashlib.sha256(body).hexdigest().encode()
        canonical = b"".join((signed.before, timestamp, signed.after, body_digest))
        digest = hashlib.sha256(canonical).hexdigest().encode()
        return hmac.compare_digest(given, signer.signature(signer.to_sign % (timestamp, digest)))

    def _is_timely(self, signer: _Signer, timestamp: bytes) -> bool:
        when = _time(timestamp)
        return (
            when is not None
            and timestamp[:8] == signer.date
            and abs(self._clock.now() - when) <= _SKEW
        )

    def _learn(self, claim: bytes) -> _Signer | None:
        """Read the part of an Authorization header that comes before the signature."""
        self._signers.pop(claim, None)
        try:
            given = parse_authorization(f"{claim.decode('ascii')}{SIGNATURE.decode()}?")
        except UnicodeDecodeError:
            return None
        if given is None or given.credential.service != self._service:
            return None
        secret = self._secret_of(given.credential.access_key_id)
        names = given.signed_headers
        if secret is None or len(names) < 2 or "%" in given.credential.scope + "".join(names):
            return None
        key = v4_key(secret, given.credential).ljust(_BLOCK_BYTES, b"\0")
        lines = "".join(f"{name}:%b\n" for name in names)
        encoded = tuple(name.encode("ascii") for name in names)
        signer = _Signer(
            access_key_id=given.credential.access_key_id,
            secret=secret,
            date=given.credential.date.encode("ascii"),
            covered=frozenset(encoded),
            values=itemgetter(*encoded),
            canonical=f"POST\n%b\n\n{lines}\n{';'.join(names)}\n".encode("ascii"),
            to_sign=f"{ALGORITHM}\n%b\n{given.credential.scope}\n%b".encode("ascii"),
            inner=hashlib.sha256(bytes(byte ^ 0x36 for byte in key)),
            outer=hashlib.sha256(bytes(byte ^ 0x5C for byte in key)),
        )
        if len(self._signers) >= _SIGNERS_AT_MOST:
            self._signers.clear()
        self._signers[claim] = signer
        return signer


@lru_cache(maxsize=256)
def _time(timestamp: bytes) -> datetime | None:
    return basic_time(timestamp.decode("latin-1"))


def _leaves_out(signer: _Signer, headers: Mapping[bytes, bytes]) -> bool:
    """Say whether a header is not signed that must be: Host, and all x-amz-*."""
    for name in headers.keys() - signer.covered:  # noqa: SIM110  a generator takes twice the time
        if name[:6] == b"x-amz-" or name == b"host":
            return True
    return False


def _is_plain(canonical: bytes) -> bool:
    """Say whether header values are signed as they stand: ASCII, with no spaces to tidy."""
    return (
        not (b"  " in canonical or b" \n" in canonical or b"\t" in canonical)
        and canonical.isascii()
    )
