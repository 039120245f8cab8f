"""The table of endpoint configurations."""

from __future__ import annotations

from sagelet.domain.hosting import EndpointConfig
from sagelet.errors import EndpointConfigNotFound
from sagelet.store.listing import microseconds
from sagelet.store.resources import Family

ENDPOINT_CONFIGS = Family(
    table="endpoint_configs",
    value=EndpointConfig,
    not_found=EndpointConfigNotFound,
    arn_kind="endpoint-config",
    columns={"created_us": lambda config: microseconds(config.created_at)},
)
