"""Who sends a request: signatures checked against the secrets that we know.

    Authorization: AWS4-HMAC-SHA256 …        every service
    ?X-Amz-Algorithm=…&X-Amz-Signature=…     S3 only: presigned, Version 4
    ?AWSAccessKeyId=…&Signature=…&Expires=…  S3 only: presigned, Version 2, boto3's default

A lenient verifier takes any key and any signature, and yet insists on one of these three forms. A
web page cannot send the first without a preflight, which nobody answers. It could make up the
others; there the server's gate, which refuses what another site's page sends, is the only guard.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sagelet.domain.clock import Clock
from sagelet.wire import canonical
from sagelet.wire.faults import Fault
from sagelet.wire.messages import RequestHead
from sagelet.wire.refusals import Reason, not_allowed, refusal, untimely
from sagelet.wire.scopes import (
    ALGORITHM,
    Authorization,
    authorization,
    parse_authorization,
    presigning,
)
from sagelet.wire.signed_parts import (
    BASIC_TIME,
    UNSIGNED_PAYLOAD,
    any_time,
    bad_query,
    basic_time,
    expires_after,
    is_digest,
    payload_hash,
    time_of,
    unsigned_headers,
)

log = logging.getLogger(__name__)

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_SKEW = timedelta(minutes=5)
_S3_SKEW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, and for what."""

    access_key_id: str
    service: str
    region: str
    presigned: bool


def content_sha256(head: RequestHead) -> str | None:
    """Return the digest that an S3 body must have, where the request's signature covers one."""
    value = head.headers.get("x-amz-content-sha256", "")
    return value if is_digest(value) else None


class Verifier:
    """Checks signatures. `secret_of` returns the secret of an access key id that is known."""

    def __init__(
        self,
        secret_of: Callable[[str], str | None],
        clock: Clock,
        *,
        allows: Callable[[str, str], bool] = lambda _key, _service: True,
        lenient: bool = False,
    ) -> None:
        """Keep what decides; `allows` says which key, by its id, is good for which service."""
        self._secret_of = secret_of
        self._allows = allows
        self._clock = clock
        self._lenient = lenient
        self._skew_told = False

    def verify(
        self, head: RequestHead, *, body_sha256: str | None, service: str | None = None
    ) -> Signature:
        """Return who signed a request.

        `body_sha256` is the body's digest in hex (S3 goes by its own header instead, and passes
        None: see `content_sha256`). `service`, where given, is the one that must be signed for.

        Raises:
            Fault: nobody that we know did, in the words of the service that was signed for.
        """
        how = presigning(head)
        signed = head.headers.get_all("authorization")
        if how and signed:
            raise Fault(
                "InvalidArgument",
                400,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                "Signature query string parameter or the Authorization header should be specified",
            )
        if how == "v2":
            return self._presigned_v2(head, service)
        if how == "v4":
            return self._presigned_v4(head, service)
        return self._signed(head, signed, body_sha256 or EMPTY_SHA256, service)

    def _signed(
        self, head: RequestHead, values: list[str], body_sha256: str, service: str | None
    ) -> Signature:
        if not values:
            raise refusal(Reason.MISSING, service or "")
        given = parse_authorization(values[0]) if len(values) == 1 else None
        if given is None:
            raise refusal(
                Reason.MALFORMED,
                service or "",
                f"Authorization must be '{ALGORITHM}' with one Credential, SignedHeaders and "
                "Signature",
            )
        if not self._lenient:
            _check_service(given, service)
            for_s3 = given.credential.service == "s3"
            payload = payload_hash(head) if for_s3 else body_sha256
            self._check(head, given, time_of(head, given)[0], payload)
        self._check_skew(given.credential.service, *time_of(head, given))
        return _signature(given, presigned=False)

    def _presigned_v4(self, head: RequestHead, service: str | None) -> Signature:
        query = dict(head.query)
        given = authorization(
            query.get("X-Amz-Credential", ""),
            query.get("X-Amz-SignedHeaders", ""),
            query.get("X-Amz-Signature", ""),
        )
        timestamp = query.get("X-Amz-Date", "")
        when = basic_time(timestamp)
        if given is None or when is None or query.get("X-Amz-Algorithm") != ALGORITHM:
            raise bad_query(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                "X-Amz-Expires parameters."
            )
        if given.credential.service != "s3":
            raise refusal(
                Reason.MISSING, "", "A presigned URL is for S3; sign this request with a header"
            )
        expires = expires_after(query.get("X-Amz-Expires", ""))
        if not self._lenient:
            _check_service(given, service)
            in_query = query.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD)
            payload = head.headers.get("x-amz-content-sha256", in_query)
            self._check(head, given, timestamp, payload)
            self._check_expiry(when - _S3_SKEW, when + expires)
        return _signature(given, presigned=True)

    def _presigned_v2(self, head: RequestHead, service: str | None) -> Signature:
        query = dict(head.query)
        key, expires = query["AWSAccessKeyId"], query.get("Expires", "")
        if service not in (None, "s3"):
            raise refusal(
                Reason.MISSING, "", "A presigned URL is for S3; sign this request with a header"
            )
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise Fault("AccessDenied", 403, "Invalid date (should be seconds since epoch)")
        if not self._lenient:
            secret = self._secret(key, "s3")
            texts = canonical.v2_strings(head, expires)
            wanted = [canonical.v2_signature(secret, text) for text in texts]
            if not any([_same(query["Signature"], one) for one in wanted]):
                raise refusal(Reason.WRONG, "s3")
            self._check_expiry(None, any_time(expires) or datetime.max.replace(tzinfo=UTC))
        return Signature(key, "s3", "", presigned=True)

    def _check(
        self, head: RequestHead, given: Authorization, timestamp: str, payload_hash: str
    ) -> None:
        credential = given.credential
        if credential.date != timestamp[:8]:
            raise refusal(
                Reason.WRONG_SCOPE,
                credential.service,
                f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                f"from HTTP: '{credential.date}' != '{timestamp[:8]}'",
            )
        unsigned = unsigned_headers(head, given)
        if unsigned:
            fault = refusal(Reason.UNSIGNED_HEADERS, credential.service)
            raise Fault(
                fault.code, fault.status, fault.message, {"HeadersNotSigned": ", ".join(unsigned)}
            )
        text = canonical.v4_request(
            head, given.signed_headers, payload_hash, service=credential.service
        )
        secret = self._secret(credential.access_key_id, credential.service)
        if not _same(given.signature, canonical.v4_signature(secret, credential, timestamp, text)):
            raise refusal(Reason.WRONG, credential.service)
        if not self._allows(credential.access_key_id, credential.service):
            raise not_allowed(credential.access_key_id, credential.service)

    def _secret(self, access_key_id: str, service: str) -> str:
        secret = self._secret_of(access_key_id)
        if secret is None:
            raise refusal(Reason.UNKNOWN_KEY, service)
        return secret

    def _check_skew(self, service: str, timestamp: str, when: datetime) -> None:
        now = self._clock.now()
        allowed = _S3_SKEW if service == "s3" else _SKEW
        if abs(now - when) <= allowed:
            return
        minutes = int(allowed.total_seconds() // 60)
        if when < now:
            message = (
                f"Signature expired: {timestamp} is now earlier than "
                f"{now - allowed:{BASIC_TIME}} ({now:{BASIC_TIME}} - {minutes} min.)"
            )
        else:
            message = (
                f"Signature not yet current: {timestamp} is still later than "
                f"{now + allowed:{BASIC_TIME}} ({now:{BASIC_TIME}} + {minutes} min.)"
            )
        if not self._lenient:
            raise untimely(service, message)
        if not self._skew_told:
            self._skew_told = True
            log.warning("accepted, since signatures are lenient: %s", message)

    def _check_expiry(self, start: datetime | None, end: datetime) -> None:
        now = self._clock.now()
        if start is not None and now < start:
            raise Fault("AccessDenied", 403, "Request is not yet valid")
        if now > end:
            facts = {
                "Expires": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                "ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            }
            raise Fault("AccessDenied", 403, "Request has expired", facts)


def _signature(given: Authorization, *, presigned: bool) -> Signature:
    credential = given.credential
    return Signature(credential.access_key_id, credential.service, credential.region, presigned)


def _check_service(given: Authorization, service: str | None) -> None:
    """Refuse what is signed for another service than the one that would serve it."""
    if service is None or given.credential.service == service:
        return
    raise refusal(
        Reason.WRONG_SCOPE,
        service,
        f"Credential should be scoped to correct service: '{service}'.",
    )


def _same(given: str, wanted: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
