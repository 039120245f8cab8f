"""The table of endpoints."""

from __future__ import annotations

from sagelet.domain.hosting import Endpoint, EndpointStatus
from sagelet.errors import EndpointNotFound
from sagelet.store.listing import microseconds
from sagelet.store.resources import Family, MutableResources, Resources

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


class Endpoints(Resources[Endpoint]):
    """Endpoints, to read."""

    def unsettled(self) -> tuple[Endpoint, ...]:
        """Return those that are being created, updated or deleted, oldest first."""
        return self._in_states(status for status in EndpointStatus if not status.is_settled)


class MutableEndpoints(Endpoints, MutableResources[Endpoint]):
    """Endpoints, to read and write."""
