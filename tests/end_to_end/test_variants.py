"""Two variants behind one endpoint: boto3 shares the traffic out, and changes the shares live."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.documents import a_model
from tests.end_to_end.local_aws import LocalAws

HANDLERS = """
import os


def model_fn(model_dir):
    with open(os.environ["LOADS"], "a") as file:
        file.write("loaded\\n")
    return os.environ["COLOUR"]


def transform_fn(model, body, content_type, accept):
    return model, "text/plain"
"""
NAME = "colours"
REQUESTS = 500


@pytest.fixture
def loads(tmp_path: Path) -> Path:
    return tmp_path / "loads"


@pytest.fixture
def colours(local: LocalAws, tmp_path: Path, loads: Path) -> Iterator[LocalAws]:
    """An endpoint of `blue` (weight 9) and `green` (weight 1), each answering its name."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    for colour in ("blue", "green"):
        environment = {"COLOUR": colour, "LOADS": os.fspath(loads)}
        local.sagemaker.create_model(**a_model(colour, folder, environment))
    local.sagemaker.create_endpoint_config(
        EndpointConfigName=NAME,
        ProductionVariants=[_variant("blue", 9), _variant("green", 1)],
    )
    local.sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    local.wait_in_service(NAME)
    yield local
    local.sagemaker.delete_endpoint(EndpointName=NAME)
    local.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME)
    local.sagemaker.delete_endpoint_config(EndpointConfigName=NAME)
    for colour in ("blue", "green"):
        local.sagemaker.delete_model(ModelName=colour)


def _variant(name: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": name,
        "InstanceType": "local",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": weight,
    }


def _seen(local: LocalAws, times: int, **members: str) -> Counter[str]:
    """Ask so many times, and count who answered; each variant answers its own name."""
    client, seen = local.client("sagemaker-runtime"), Counter[str]()
    for _ in range(times):
        answer = client.invoke_endpoint(EndpointName=NAME, Body=b"{}", **members)
        assert answer["Body"].read().decode() == answer["InvokedProductionVariant"]
        seen[answer["InvokedProductionVariant"]] += 1
    return seen


def _is_a_likely_share(seen: int, share: float) -> bool:
    """Whether a count is within five standard deviations of what is expected."""
    expected = REQUESTS * share
    return abs(seen - expected) <= 5 * math.sqrt(expected * (1 - share))


def test_the_traffic_is_shared_by_weight_and_the_weights_change_live(
    colours: LocalAws, loads: Path
) -> None:
    first = _seen(colours, REQUESTS)
    assert _is_a_likely_share(first["green"], 0.1), first

    colours.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[
            {"VariantName": "blue", "DesiredWeight": 1.0},
            {"VariantName": "green", "DesiredWeight": 1.0, "DesiredInstanceCount": 2},
        ],
    )
    colours.wait_in_service(NAME)
    second = _seen(colours, REQUESTS)

    assert _is_a_likely_share(second["green"], 0.5), second
    shown = colours.sagemaker.describe_endpoint(EndpointName=NAME)
    assert [
        (v["VariantName"], v["CurrentWeight"], v["CurrentInstanceCount"])
        for v in shown["ProductionVariants"]
    ] == [("blue", 1.0, 1), ("green", 1.0, 2)]
    assert loads.read_text() == "loaded\n" * 2


def test_a_variant_is_asked_for_by_name(colours: LocalAws) -> None:
    assert _seen(colours, 5, TargetVariant="green") == {"green": 5}

    with pytest.raises(ClientError) as caught:
        _seen(colours, 1, TargetVariant="red")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "Variant red not found" in caught.value.response["Error"]["Message"]


def test_without_weights_only_a_named_variant_answers(colours: LocalAws) -> None:
    colours.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME,
        DesiredWeightsAndCapacities=[
            {"VariantName": name, "DesiredWeight": 0.0} for name in ("blue", "green")
        ],
    )
    colours.wait_in_service(NAME)

    with pytest.raises(ClientError) as caught:
        _seen(colours, 1)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert _seen(colours, 1, TargetVariant="blue") == {"blue": 1}
