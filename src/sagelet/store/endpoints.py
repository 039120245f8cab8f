"""The table of endpoints."""

from __future__ import annotations

from sagelet.domain.hosting import Endpoint
from sagelet.errors import EndpointNotFound
from sagelet.store.listing import microseconds
from sagelet.store.resources import Family

ENDPOINTS = Family(
    table="endpoints",
    value=Endpoint,
    not_found=EndpointNotFound,
    arn_kind="endpoint",
    columns={
        "created_us": lambda endpoint: microseconds(endpoint.created_at),
        "modified_us": lambda endpoint: microseconds(endpoint.last_modified_at),
        "status": lambda endpoint: str(endpoint.status),
    },
)
