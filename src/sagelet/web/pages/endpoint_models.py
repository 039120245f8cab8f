"""Which models an endpoint serves, and whether one of them is a shelf to choose from."""

from __future__ import annotations

from sagelet.errors import SageletError
from sagelet.web.backend import Backend


async def models_of(backend: Backend, endpoint: str) -> tuple[str, ...]:
    """Return the names of an endpoint's models; none where its configuration has been deleted."""
    try:
        shown = await backend.call("sagemaker", "DescribeEndpoint", EndpointName=endpoint)
        config = await backend.call(
            "sagemaker",
            "DescribeEndpointConfig",
            EndpointConfigName=shown["EndpointConfigName"],
        )
    except SageletError:
        return ()  # both may be deleted under whoever looks, and the configuration while it serves
    named = (each.get("ModelName") for each in config["ProductionVariants"])
    return tuple(dict.fromkeys(name for name in named if name))


async def is_multi_model(backend: Backend, endpoint: str) -> bool:
    """Say whether a request has to name its model."""
    for name in await models_of(backend, endpoint):
        try:
            model = await backend.call("sagemaker", "DescribeModel", ModelName=name)
        except SageletError:
            return False  # a model may be deleted while the endpoint serves on
        if model.get("PrimaryContainer", {}).get("Mode") == "MultiModel":
            return True
    return False
