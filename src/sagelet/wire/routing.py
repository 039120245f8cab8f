"""Which service and which operation a request means, on one port for all of them.

SigV4 scope s3, or a presigned query        -> s3
X-Amz-Target: SageMaker.CreateModel         -> json-1.1: sagemaker, logs
POST /endpoints/<name>/invocations          -> sagemaker-runtime
a form with Action=GetCallerIdentity        -> query: sts, iam, cloudwatch
POST /service/<target>/operation/<name>     -> smithy-rpc-v2-cbor: cloudwatch
none of these                               -> s3, path-style
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from botocore.model import OperationModel

from sagelet.wire.faults import Fault, Unreadable
from sagelet.wire.form_body import form_fields
from sagelet.wire.matching import match_rest
from sagelet.wire.messages import RequestHead
from sagelet.wire.models import service_model
from sagelet.wire.scopes import credential_of, presigning

__all__ = ["Protocol", "Route", "match_rest", "presumed_service", "protocol_of", "route"]

FORM = "application/x-www-form-urlencoded"

_TARGETS = {
    "SageMaker": "sagemaker",
    "Logs_20140328": "logs",
    "GraniteServiceVersion20100801": "cloudwatch",
}
_QUERY_SERVICES = ("sts", "iam", "cloudwatch")
_SIGNED_AS = {"monitoring": "cloudwatch"}
"""Services whose name in a signature is not botocore's name of them."""

_RPC = re.compile(r"/service/(?P<target>[^/]+)/operation/(?P<name>[^/]+)")
_INVOCATION = re.compile(
    r"/endpoints/[^/]+/(?:invocations|async-invocations|invocations-response-stream)"
)
_JSON_TYPES = frozenset(
    {"application/x-amz-json-1.1", "application/x-amz-json-1.0", "application/json"}
)


class Protocol(Enum):
    """AWS's protocols, by botocore's names."""

    JSON = "json"
    REST_JSON = "rest-json"
    QUERY = "query"
    REST_XML = "rest-xml"
    CBOR = "smithy-rpc-v2-cbor"


_PROTOCOLS = {
    "sagemaker": Protocol.JSON,
    "logs": Protocol.JSON,
    "sagemaker-runtime": Protocol.REST_JSON,
    "sts": Protocol.QUERY,
    "iam": Protocol.QUERY,
    "s3": Protocol.REST_XML,
    "cloudwatch": Protocol.JSON,
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. `service` is botocore's name of it."""

    service: str
    protocol: Protocol
    operation: OperationModel


def route(head: RequestHead, body_prefix: bytes = b"") -> Route:
    """Find the operation; `body_prefix` matters to forms only, and must hold their Action.

    Raises:
        Fault: the operation does not exist, or cannot be told.
    """
    service = presumed_service(head)
    protocol = presumed_protocol(head)
    if protocol is Protocol.CBOR:
        return Route(service, protocol, _rpc_operation(service, head))
    if protocol is Protocol.JSON:
        return Route(service, protocol, _json_operation(service, head))
    if protocol is Protocol.QUERY:
        service, operation = _query_operation(service, head, body_prefix)
        return Route(service, protocol, operation)
    return Route(service, protocol, match_rest(service_model(service), head))


def protocol_of(service: str) -> Protocol:
    """Return the protocol that a service speaks, or of several the one that boto3 prefers."""
    return _PROTOCOLS[service]


def presumed_protocol(head: RequestHead) -> Protocol:
    """Name the protocol of a request: its service's, or of CloudWatch's three the one it is in."""
    service = presumed_service(head)
    if service == "cloudwatch":
        if "smithy-protocol" in head.headers:
            return Protocol.CBOR
        if _media_type(head) == FORM or "Action" in dict(head.query):
            return Protocol.QUERY
    return protocol_of(service)


def presumed_service(head: RequestHead) -> str:
    """Name the service that a request is for, as far as its head tells; it may yet be wrong.

    An error that comes before routing is answered in this service's form.
    """
    credential = credential_of(head)
    signed_for = credential.service if credential else ""
    if signed_for == "s3" or presigning(head):
        return "s3"
    target = head.headers.get("x-amz-target")
    if target is not None:
        return _TARGETS.get(target.rpartition(".")[0], "sagemaker")
    if head.method == "POST" and _INVOCATION.fullmatch(head.raw_path):
        return "sagemaker-runtime"
    signed_for = _SIGNED_AS.get(signed_for, signed_for)
    if signed_for in _PROTOCOLS:
        return signed_for
    rpc = _RPC.fullmatch(head.raw_path)
    if rpc is not None and rpc["target"] in _TARGETS and "smithy-protocol" in head.headers:
        return _TARGETS[rpc["target"]]
    if head.headers.get("content-type", "").startswith(FORM):
        return _QUERY_SERVICES[0]
    return "s3"


def _json_operation(service: str, head: RequestHead) -> OperationModel:
    target = head.headers.get("x-amz-target", "")
    prefix, _, name = target.rpartition(".")
    if prefix not in _TARGETS:
        named = f"X-Amz-Target {target!r} names" if target else "without X-Amz-Target there is"
        raise _unknown(f"{named[:200]} no operation of a service that is served here")
    if _media_type(head) not in _JSON_TYPES:
        raise _unknown(f"{target[:200]} needs the Content-Type application/x-amz-json-1.1")
    model = service_model(service)
    if head.method != "POST" or name not in model.operation_names:
        raise _unknown(f"{service} has no operation {name[:200]!r}")
    return model.operation_model(name)


def _rpc_operation(service: str, head: RequestHead) -> OperationModel:
    named = _RPC.fullmatch(head.raw_path)
    if named is None or _TARGETS.get(named["target"]) != service:
        raise _unknown(f"{head.raw_path[:200]} names no operation of {service}")
    if head.headers.get("smithy-protocol", "rpc-v2-cbor") != "rpc-v2-cbor":
        raise _unknown("only the smithy-protocol rpc-v2-cbor is read")
    model = service_model(service)
    if head.method != "POST" or named["name"] not in model.operation_names:
        raise _unknown(f"{service} has no operation {named['name'][:200]!r}")
    return model.operation_model(named["name"])


def _query_operation(
    service: str, head: RequestHead, body_prefix: bytes
) -> tuple[str, OperationModel]:
    try:
        fields = dict(head.query) | dict(form_fields(body_prefix))
    except Unreadable as error:
        raise Fault("MalformedQueryString", 400, str(error)) from error
    action = fields.get("Action")
    if action is None:
        raise Fault("MissingAction", 400, "The request must contain the parameter Action")
    # A request that is not signed for one of them is for whichever has such an action.
    for name in _QUERY_SERVICES if credential_of(head) is None else (service,):
        if action in service_model(name).operation_names:
            return name, service_model(name).operation_model(action)
    version = fields.get("Version", service_model(service).api_version)
    raise Fault(
        "InvalidAction", 400, f"Could not find operation {action[:200]} for version {version[:40]}"
    )


def _media_type(head: RequestHead) -> str:
    return head.headers.get("content-type", "").partition(";")[0].strip().lower()


def _unknown(message: str) -> Fault:
    return Fault("UnknownOperationException", 400, message)
