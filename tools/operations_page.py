"""Which operations of AWS's API are served: from the control plane's table and the S3 service's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from sagelet.artifacts.objects import Buckets
from sagelet.buckets.service import S3
from sagelet.control.plane import SERVED
from sagelet.domain.clock import SystemClock
from sagelet.wire.models import service_model
from tools.markdown import code

_TITLES = {
    "sagemaker": "SageMaker",
    "sagemaker-runtime": "SageMaker Runtime",
    "s3": "S3",
    "logs": "CloudWatch Logs",
    "cloudwatch": "CloudWatch",
    "sts": "STS",
    "iam": "IAM",
}


def served() -> dict[str, list[str]]:
    """Return the operations that are served, by service, sorted."""
    by_service = {
        service: sorted(operation for name, operation in SERVED if name == service)
        for service in {name for name, _ in SERVED}
    }
    return by_service | {"s3": sorted(_served_by_s3())}


def operations() -> str:
    """Return a list for each service, in the order in which a newcomer meets them."""
    found = served()
    if found.keys() - _TITLES.keys():
        raise LookupError(f"services without a title: {sorted(found.keys() - _TITLES.keys())}")
    return "\n\n".join(_section(name, found[name]) for name in _TITLES)


def _section(service: str, names: Iterable[str]) -> str:
    known = service_model(service).operation_names
    strange = [name for name in names if name not in known]
    if strange:
        raise LookupError(f"{service} has no {', '.join(strange)}")
    listed = "\n".join(f"- {code(name)}" for name in names)
    return f"## {_TITLES[service]}\n\n{listed}"


def _served_by_s3() -> frozenset[str]:
    with tempfile.TemporaryDirectory() as folder:
        return S3(Buckets(Path(folder)), SystemClock()).served
