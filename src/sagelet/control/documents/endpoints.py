"""Endpoints in documents."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from ulid import ULID

from sagelet.control.context import Document
from sagelet.control.shares import Retention
from sagelet.domain.account import Account
from sagelet.domain.hosting import Endpoint, EndpointStatus, Serving, Share, Variant

_REASON_CHARACTERS = 1024


def name_of(document: Document) -> str:
    """Read which endpoint is meant."""
    name: str = document["EndpointName"]
    return name


def config_name_of(document: Document) -> str:
    """Read which configuration an endpoint is to have."""
    name: str = document["EndpointConfigName"]
    return name


def read_endpoint(
    document: Document, *, wanted: Serving, account: Account, at: datetime
) -> Endpoint:
    """Read a CreateEndpoint request for a configuration that was found."""
    name = name_of(document)
    return Endpoint(
        name=name,
        ulid=str(ULID.from_datetime(at)),
        arn=account.arn("endpoint", name),
        status=EndpointStatus.CREATING,
        wanted=wanted,
        serving=None,
        submitted=deepcopy(document),
        created_at=at,
        last_modified_at=at,
    )


def read_shares(document: Document) -> tuple[Share, ...]:
    """Read the weights and counts of an UpdateEndpointWeightsAndCapacities request."""
    return tuple(
        Share(item["VariantName"], item.get("DesiredWeight"), item.get("DesiredInstanceCount"))
        for item in document["DesiredWeightsAndCapacities"]
    )


def retention_of(document: Document) -> Retention:
    """Read which of its variants' properties an endpoint keeps under a new configuration."""
    if not document.get("RetainAllVariantProperties"):
        return Retention(weights=False, counts=False)
    overridden = {
        item["VariantPropertyType"] for item in document.get("ExcludeRetainedVariantProperties", ())
    }
    return Retention(
        weights="DesiredWeight" not in overridden,
        counts="DesiredInstanceCount" not in overridden,
    )


def show_arn(endpoint: Endpoint) -> Document:
    """Return the answer to whatever creates or changes an endpoint."""
    return {"EndpointArn": endpoint.arn}


def show_endpoint(endpoint: Endpoint) -> Document:
    """Return an endpoint as DescribeEndpoint does.

    Its variants are those that serve; while it serves nothing they are the wanted ones, without an
    instance.
    """
    shown: Document = {
        **summarize(endpoint),
        "EndpointConfigName": endpoint.config_name,
        "ProductionVariants": [
            _variant(endpoint, variant)
            for variant in (endpoint.serving or endpoint.wanted).config.variants
        ],
    }
    if endpoint.failure_reason:
        shown["FailureReason"] = endpoint.failure_reason[:_REASON_CHARACTERS]
    return shown


def summarize(endpoint: Endpoint) -> Document:
    """Return an endpoint as ListEndpoints does."""
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.last_modified_at,
        "EndpointStatus": str(endpoint.status),
    }


def _variant(endpoint: Endpoint, variant: Variant) -> Document:
    serves = endpoint.serving is not None
    desired = _desired(endpoint, variant)
    shown: Document = {
        "VariantName": variant.name,
        "CurrentWeight": variant.weight,
        "DesiredWeight": desired.weight,
        "CurrentInstanceCount": variant.instance_count if serves else 0,
        "DesiredInstanceCount": desired.instance_count,
    }
    image = (endpoint.serving or endpoint.wanted).model_of(variant).image
    if image:
        # No image is pulled here, so what was asked for is what there is.
        shown["DeployedImages"] = [
            {
                "SpecifiedImage": image,
                "ResolvedImage": image,
                "ResolutionTime": endpoint.created_at,
            }
        ]
    return shown


def _desired(endpoint: Endpoint, variant: Variant) -> Variant:
    """Return a variant as it is to be; a configuration that is still coming up is not told of."""
    if endpoint.serving is None or endpoint.serving.deployment != endpoint.wanted.deployment:
        return variant
    return next(each for each in endpoint.wanted.config.variants if each.name == variant.name)
