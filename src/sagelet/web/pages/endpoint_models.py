"""Whether an endpoint has one model, or a shelf of them to choose from with each request."""

from __future__ import annotations

from sagelet.errors import SageletError
from sagelet.web.backend import Backend


async def is_multi_model(backend: Backend, endpoint: str) -> bool:
    """Say whether a request has to name its model."""
    try:
        shown = await backend.call("sagemaker", "DescribeEndpoint", EndpointName=endpoint)
        config = await backend.call(
            "sagemaker",
            "DescribeEndpointConfig",
            EndpointConfigName=shown["EndpointConfigName"],
        )
        for variant in config["ProductionVariants"]:
            model = await backend.call(
                "sagemaker", "DescribeModel", ModelName=variant.get("ModelName", "")
            )
            if model.get("PrimaryContainer", {}).get("Mode") == "MultiModel":
                return True
    except SageletError:
        return False  # a configuration or a model may be deleted while the endpoint serves on
    return False
