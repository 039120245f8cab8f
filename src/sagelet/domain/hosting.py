"""Models, endpoint configurations and endpoints, and the states an endpoint may move through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sagelet.errors import IllegalMove


class EndpointStatus(StrEnum):
    """EndpointStatus of DescribeEndpoint; the ones that this server uses."""

    CREATING = "Creating"
    UPDATING = "Updating"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def is_settled(self) -> bool:
        """Whether nothing is going on: the endpoint may be updated or deleted."""
        return self in (EndpointStatus.IN_SERVICE, EndpointStatus.FAILED)


MOVES: Mapping[EndpointStatus, frozenset[EndpointStatus]] = {
    EndpointStatus.CREATING: frozenset({EndpointStatus.IN_SERVICE, EndpointStatus.FAILED}),
    # A restarted daemon brings an endpoint back through Updating; if that fails, it is Failed.
    EndpointStatus.IN_SERVICE: frozenset(
        {EndpointStatus.UPDATING, EndpointStatus.DELETING, EndpointStatus.FAILED}
    ),
    EndpointStatus.UPDATING: frozenset({EndpointStatus.IN_SERVICE, EndpointStatus.FAILED}),
    EndpointStatus.FAILED: frozenset({EndpointStatus.DELETING, EndpointStatus.UPDATING}),
    # A deletion that went wrong may be tried again.
    EndpointStatus.DELETING: frozenset({EndpointStatus.FAILED}),
}


@dataclass(frozen=True, slots=True)
class Model:
    """A model: an image, the archive or folder that holds it, and its container's environment.

    `is_multi` is Mode MultiModel: `data_url` is then where the models lie that requests name.
    """

    name: str
    arn: str
    image: str | None
    data_url: str | None
    environment: Mapping[str, str]
    submitted: Mapping[str, Any]
    created_at: datetime
    is_multi: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant: a model, how many instances of it, and its share of the traffic."""

    name: str
    model_name: str
    instance_type: str
    instance_count: int = 1
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """What a variant that serves is to have from now on; None leaves a number as it is."""

    variant: str
    weight: float | None = None
    instance_count: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """An endpoint configuration."""

    name: str
    arn: str
    variants: tuple[Variant, ...]
    submitted: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """What an endpoint serves: its configuration and models as they were when it took them.

    AWS allows the configuration and the models to be deleted under a running endpoint, so the
    endpoint keeps this copy, whose variants have the weights and counts that they were given since.
    `deployment` counts what the endpoint took: new weights alone belong to the same one, for
    nothing has to be started anew.
    """

    config: EndpointConfig
    models: Mapping[str, Model]
    deployment: int = 1

    def model_of(self, variant: Variant) -> Model:
        """Return the model that a variant serves."""
        return self.models[variant.model_name]

    def with_variants(self, variants: Iterable[Variant]) -> Serving:
        """Return the same deployment with other weights and counts."""
        return replace(self, config=replace(self.config, variants=tuple(variants)))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint. `serving` answers now (once in service); `wanted` is what it is moving to."""

    name: str
    ulid: str
    arn: str
    status: EndpointStatus
    wanted: Serving
    serving: Serving | None
    submitted: Mapping[str, Any]
    created_at: datetime
    last_modified_at: datetime
    failure_reason: str | None = None

    @property
    def config_name(self) -> str:
        """EndpointConfigName as Describe shows it: what serves, or what is being created."""
        return (self.serving or self.wanted).config.name

    def moved_to(
        self, status: EndpointStatus, *, at: datetime, failure_reason: str | None = None
    ) -> Endpoint:
        """Return the endpoint in its next status, with the reason if it is a failure's.

        Raises:
            IllegalMove: the table of moves does not lead there.
        """
        if status not in MOVES[self.status]:
            raise IllegalMove(what=self.arn, source=self.status, target=status)
        return replace(self, status=status, last_modified_at=at, failure_reason=failure_reason)
