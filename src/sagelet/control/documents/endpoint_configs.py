"""Endpoint configurations in documents."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from sagelet.control.context import Document
from sagelet.domain.account import Account
from sagelet.domain.hosting import EndpointConfig, Variant
from sagelet.errors import InvalidRequest, NotSupported

_DEFAULT_WEIGHT = 1.0


def name_of(document: Document) -> str:
    """Read which configuration is meant."""
    name: str = document["EndpointConfigName"]
    return name


def read_endpoint_config(document: Document, *, account: Account, at: datetime) -> EndpointConfig:
    """Read a CreateEndpointConfig request.

    Raises:
        InvalidRequest: two variants share a name, or one lacks its instances.
        NotSupported: a variant names no model, as it does for inference components.
    """
    variants = tuple(_variant(variant) for variant in document["ProductionVariants"])
    names = [variant.name for variant in variants]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(message=f"Two production variants are named {twice!r}.")
    name = name_of(document)
    return EndpointConfig(
        name=name,
        arn=account.arn("endpoint-config", name),
        variants=variants,
        submitted=deepcopy(document),
        created_at=at,
    )


def show_arn(config: EndpointConfig) -> Document:
    """Return the answer to CreateEndpointConfig."""
    return {"EndpointConfigArn": config.arn}


def show_endpoint_config(config: EndpointConfig, *, account: Account) -> Document:
    """Return a configuration as DescribeEndpointConfig does: as submitted, with AWS's defaults."""
    submitted = deepcopy(dict(config.submitted))
    submitted.pop("Tags", None)
    shown: Document = {
        **submitted,
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
        "ProductionVariants": [
            {"InitialVariantWeight": _DEFAULT_WEIGHT, **variant}
            for variant in submitted["ProductionVariants"]
        ],
    }
    shown.setdefault("EnableNetworkIsolation", False)
    if shown.get("ExecutionRoleArn"):
        shown["ExecutionRoleArn"] = account.role_arn(shown["ExecutionRoleArn"])
    return shown


def summarize(config: EndpointConfig) -> Document:
    """Return a configuration as ListEndpointConfigs does."""
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
    }


def _variant(variant: dict[str, Any]) -> Variant:
    name = variant["VariantName"]
    if not variant.get("ModelName"):
        raise NotSupported(
            message=f"Production variant {name} names no model, and inference components are not "
            "served."
        )
    missing = [key for key in ("InstanceType", "InitialInstanceCount") if not variant.get(key)]
    if missing:
        raise InvalidRequest(message=f"Production variant {name} needs {' and '.join(missing)}.")
    return Variant(
        name=name,
        model_name=variant["ModelName"],
        instance_type=variant["InstanceType"],
        instance_count=variant["InitialInstanceCount"],
        weight=variant.get("InitialVariantWeight", _DEFAULT_WEIGHT),
    )
