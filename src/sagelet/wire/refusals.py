"""Signatures that are refused: AWS's code, status and words for each reason, a service's family.

Each that a right key would cure ends with the sentence that says where the right key is.
"""

from __future__ import annotations

from enum import Enum

from sagelet.wire.faults import Fault

FIX = 'To sign with this machine\'s local key, run `eval "$(sagelet env)"`.'


class Reason(Enum):
    """Why a signature is refused."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown key"
    WRONG = "wrong"
    WRONG_SCOPE = "wrong scope"
    UNSIGNED_HEADERS = "unsigned headers"


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details."
)
_S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
_NO_KEY = "The security token included in the request is invalid."
_S3_NO_KEY = "The AWS Access Key Id you provided does not exist in our records."
_UNSIGNED = "There were headers present in the request which were not signed"

_JSON = {
    Reason.MALFORMED: ("IncompleteSignatureException", 400, ""),
    Reason.UNKNOWN_KEY: ("UnrecognizedClientException", 400, _NO_KEY),
    Reason.WRONG: ("InvalidSignatureException", 400, _MISMATCH),
    Reason.WRONG_SCOPE: ("InvalidSignatureException", 400, ""),
    Reason.UNSIGNED_HEADERS: ("InvalidSignatureException", 400, _UNSIGNED),
}
_QUERY = {
    Reason.MALFORMED: ("IncompleteSignature", 400, ""),
    Reason.UNKNOWN_KEY: ("InvalidClientTokenId", 403, _NO_KEY),
    Reason.WRONG: ("SignatureDoesNotMatch", 403, _MISMATCH),
    Reason.WRONG_SCOPE: ("SignatureDoesNotMatch", 403, ""),
    Reason.UNSIGNED_HEADERS: ("SignatureDoesNotMatch", 403, _UNSIGNED),
}
_S3 = {
    Reason.MALFORMED: ("AuthorizationHeaderMalformed", 400, ""),
    Reason.UNKNOWN_KEY: ("InvalidAccessKeyId", 403, _S3_NO_KEY),
    Reason.WRONG: ("SignatureDoesNotMatch", 403, _S3_MISMATCH),
    Reason.WRONG_SCOPE: ("AuthorizationHeaderMalformed", 400, ""),
    Reason.UNSIGNED_HEADERS: ("AccessDenied", 403, _UNSIGNED),
}
_FAMILIES = {"s3": _S3, "sts": _QUERY, "iam": _QUERY, "monitoring": _QUERY}


def refusal(reason: Reason, service: str, detail: str = "") -> Fault:
    """Return the fault for a reason; `detail` is said where AWS's own words are not fixed."""
    if reason is Reason.MISSING:
        # To S3 a request without a signature is anybody's, and nothing here is public.
        code, message = (
            ("AccessDenied", "Access Denied")
            if service == "s3"
            else ("MissingAuthenticationTokenException", detail or "Missing Authentication Token")
        )
        return Fault(code, 403, f"{message}. {FIX}")
    code, status, words = _FAMILIES.get(service, _JSON)[reason]
    sentence = words or detail
    return Fault(code, status, f"{sentence}{'' if sentence.endswith('.') else '.'} {FIX}")


def not_allowed(access_key_id: str, service: str) -> Fault:
    """Return the fault for a key that is good for other services than the one it was used for."""
    code, status = ("AccessDenied", 403) if service in _FAMILIES else ("AccessDeniedException", 400)
    return Fault(
        code,
        status,
        f"The key {access_key_id} is not authorized to perform operations of {service}: the local "
        "key of a script or a handler is good for its data, its logs and its metrics. Do this from "
        "outside the job.",
    )


def untimely(service: str, message: str) -> Fault:
    """Return the fault for a signature that is too old or too new; another key would not help."""
    if service == "s3":
        return Fault(
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
            {"Detail": message},
        )
    code, status, _ = _FAMILIES.get(service, _JSON)[Reason.WRONG]
    return Fault(code, status, message)
