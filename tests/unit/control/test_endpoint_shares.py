"""Weights and counts of an endpoint's variants, and what an update keeps of them."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.errors import Busy, EndpointNotFound, InvalidRequest, NotSupported
from tests.control_bench import Bench

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/sentiment"


async def _configure(bench: Bench, name: str, *variants: tuple[str, float, int]) -> None:
    await bench.ask(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": "sentiment",
                "InstanceType": "local",
                "InitialInstanceCount": count,
                "InitialVariantWeight": weight,
            }
            for variant, weight, count in variants
        ],
    )


@pytest.fixture
async def shared(bench: Bench) -> Bench:
    """Return a bench with an endpoint in service: `old` with weight 9, `new` with 1."""
    await bench.create_model()
    await _configure(bench, "sentiment-1", ("old", 9.0, 1), ("new", 1.0, 1))
    await bench.ask("CreateEndpoint", EndpointName="sentiment", EndpointConfigName="sentiment-1")
    bench.move_endpoint("sentiment", EndpointStatus.IN_SERVICE)
    return bench


async def _ask(bench: Bench, *shares: dict[str, Any]) -> dict[str, Any]:
    return await bench.ask(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="sentiment",
        DesiredWeightsAndCapacities=list(shares),
    )


async def _numbers(bench: Bench) -> dict[str, tuple[float, float, int, int]]:
    shown = await bench.ask("DescribeEndpoint", EndpointName="sentiment")
    keys = ("CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")
    return {
        variant["VariantName"]: tuple(variant[key] for key in keys)
        for variant in shown["ProductionVariants"]
    }


async def test_new_weights_are_desired_until_the_host_has_taken_them(shared: Bench) -> None:
    answer = await _ask(
        shared,
        {"VariantName": "new", "DesiredWeight": 3.0, "DesiredInstanceCount": 2},
        {"VariantName": "old", "DesiredWeight": 0.0},
    )

    assert answer == {"EndpointArn": ARN}
    assert await _numbers(shared) == {"old": (9.0, 0.0, 1, 1), "new": (1.0, 3.0, 1, 2)}
    assert shared.host.converged[-1].status is EndpointStatus.UPDATING
    shared.move_endpoint("sentiment", EndpointStatus.IN_SERVICE)
    assert await _numbers(shared) == {"old": (0.0, 0.0, 1, 1), "new": (3.0, 3.0, 2, 2)}


async def test_new_weights_belong_to_the_same_deployment_and_an_update_to_the_next(
    shared: Bench,
) -> None:
    await _ask(shared, {"VariantName": "new", "DesiredWeight": 3.0})
    shared.move_endpoint("sentiment", EndpointStatus.IN_SERVICE)

    await shared.ask("UpdateEndpoint", EndpointName="sentiment", EndpointConfigName="sentiment-1")

    assert [endpoint.wanted.deployment for endpoint in shared.host.converged] == [1, 1, 2]


async def test_a_weight_may_be_left_out(shared: Bench) -> None:
    await _ask(shared, {"VariantName": "new", "DesiredInstanceCount": 4})
    shared.move_endpoint("sentiment", EndpointStatus.IN_SERVICE)

    assert (await _numbers(shared))["new"] == (1.0, 1.0, 4, 4)


async def test_the_configuration_itself_stays_as_it_was(shared: Bench) -> None:
    await _ask(shared, {"VariantName": "new", "DesiredWeight": 3.0})

    shown = await shared.ask("DescribeEndpointConfig", EndpointConfigName="sentiment-1")

    assert [v["InitialVariantWeight"] for v in shown["ProductionVariants"]] == [9.0, 1.0]


async def test_a_variant_that_is_not_there_changes_nothing(shared: Bench) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await _ask(
            shared,
            {"VariantName": "new", "DesiredWeight": 3.0},
            {"VariantName": "newest", "DesiredWeight": 3.0},
        )

    assert str(caught.value) == (
        'The variant name(s) "newest" is/are not present within endpoint configuration '
        '"sentiment-1".'
    )
    assert (await _numbers(shared))["new"] == (1.0, 1.0, 1, 1)


@pytest.mark.parametrize(
    ("shares", "error", "said"),
    [
        ([{"VariantName": "new"}, {"VariantName": "new"}], InvalidRequest, "named twice"),
        ([{"VariantName": "new", "DesiredInstanceCount": 0}], InvalidRequest, "has to be 1"),
        (
            [{"VariantName": "new", "ServerlessUpdateConfig": {"MaxConcurrency": 1}}],
            NotSupported,
            "ServerlessUpdateConfig is not served",
        ),
    ],
)
async def test_shares_must_make_sense(
    shared: Bench, shares: list[dict[str, Any]], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await _ask(shared, *shares)


async def test_only_an_endpoint_in_service_gets_new_weights(bench: Bench) -> None:
    await bench.create_endpoint()
    with pytest.raises(Busy) as caught:
        await _ask(bench, {"VariantName": "AllTraffic", "DesiredWeight": 2.0})
    assert str(caught.value) == f'Cannot update in-progress endpoint "{ARN}".'
    bench.move_endpoint("sentiment", EndpointStatus.FAILED)
    with pytest.raises(InvalidRequest, match="DeleteEndpoint is the only operation"):
        await _ask(bench, {"VariantName": "AllTraffic", "DesiredWeight": 2.0})
    with pytest.raises(EndpointNotFound):
        await bench.ask(
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="gone",
            DesiredWeightsAndCapacities=[{"VariantName": "v", "DesiredWeight": 1.0}],
        )


@pytest.mark.parametrize(
    ("members", "weight", "count"),
    [
        ({}, 5.0, 7),
        ({"RetainAllVariantProperties": False}, 5.0, 7),
        ({"RetainAllVariantProperties": True}, 1.0, 1),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            5.0,
            1,
        ),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [
                    {"VariantPropertyType": "DesiredInstanceCount"},
                    {"VariantPropertyType": "DataCaptureConfig"},
                ],
            },
            1.0,
            7,
        ),
    ],
)
async def test_an_update_keeps_the_properties_that_it_is_told_to(
    shared: Bench, members: dict[str, Any], weight: float, count: int
) -> None:
    await _configure(shared, "sentiment-2", ("new", 5.0, 7), ("newest", 2.0, 3))

    await shared.ask(
        "UpdateEndpoint",
        EndpointName="sentiment",
        EndpointConfigName="sentiment-2",
        **members,
    )
    before = await _numbers(shared)
    shared.move_endpoint("sentiment", EndpointStatus.IN_SERVICE)

    assert before == {"old": (9.0, 9.0, 1, 1), "new": (1.0, 1.0, 1, 1)}
    assert await _numbers(shared) == {
        "new": (weight, weight, count, count),
        "newest": (2.0, 2.0, 3, 3),
    }
