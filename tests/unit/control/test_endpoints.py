from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.errors import (
    AlreadyExists,
    Busy,
    EndpointConfigNotFound,
    EndpointNotFound,
    InvalidRequest,
    ModelNotFound,
    NotSupported,
)
from tests.control_bench import Bench

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/sentiment"
CONFIG_ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/sentiment-1"


def _variant(**members: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's members
    return {
        "VariantName": "AllTraffic",
        "ModelName": "sentiment",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **members,
    }


async def test_a_configuration_is_described_as_it_was_submitted_with_a_weight(
    bench: Bench,
) -> None:
    await bench.create_model()
    await bench.create_config()

    assert await bench.ask("DescribeEndpointConfig", EndpointConfigName="sentiment-1") == {
        "EndpointConfigName": "sentiment-1",
        "EndpointConfigArn": CONFIG_ARN,
        "ProductionVariants": [_variant(InstanceType="local", InitialVariantWeight=1.0)],
        "EnableNetworkIsolation": False,
        "CreationTime": bench.clock.now(),
    }


async def test_a_configuration_needs_its_models(bench: Bench) -> None:
    with pytest.raises(ModelNotFound, match="Could not find model"):
        await bench.create_config()

    assert (await bench.ask("ListEndpointConfigs"))["EndpointConfigs"] == []


async def test_a_configuration_that_exists_is_not_made_again(bench: Bench) -> None:
    await bench.create_model()
    await bench.create_config()

    with pytest.raises(AlreadyExists) as caught:
        await bench.create_config()

    assert str(caught.value) == (
        f'Cannot create already existing endpoint configuration "{CONFIG_ARN}".'
    )


@pytest.mark.parametrize(
    ("variants", "error", "said"),
    [
        ([_variant(), _variant()], InvalidRequest, "Two production variants"),
        ([_variant(ModelName=None)], NotSupported, "inference components"),
        ([_variant(InstanceType=None)], InvalidRequest, "needs InstanceType"),
        (
            [_variant(ServerlessConfig={"MemorySizeInMB": 2048, "MaxConcurrency": 1})],
            NotSupported,
            "ServerlessConfig is not served by sagelet",
        ),
    ],
)
async def test_variants_must_make_sense_here(
    bench: Bench, variants: list[dict[str, Any]], error: type[Exception], said: str
) -> None:
    await bench.create_model()
    given = [{k: v for k, v in variant.items() if v is not None} for variant in variants]

    with pytest.raises(error, match=said):
        await bench.ask("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=given)


async def test_configurations_are_listed_and_deleted(bench: Bench) -> None:
    await bench.create_model()
    await bench.create_config()
    (shown,) = (await bench.ask("ListEndpointConfigs"))["EndpointConfigs"]

    await bench.ask("DeleteEndpointConfig", EndpointConfigName="sentiment-1")

    assert shown == {
        "EndpointConfigName": "sentiment-1",
        "EndpointConfigArn": CONFIG_ARN,
        "CreationTime": bench.clock.now(),
    }
    with pytest.raises(EndpointConfigNotFound) as caught:
        await bench.ask("DescribeEndpointConfig", EndpointConfigName="sentiment-1")
    assert str(caught.value) == f'Could not find endpoint configuration "{CONFIG_ARN}".'


async def test_an_endpoint_is_recorded_and_handed_to_the_host(bench: Bench) -> None:
    await bench.create_endpoint()

    (handed,) = bench.host.converged
    with bench.store.reading() as snapshot:
        assert handed == snapshot.endpoints.get("sentiment")
    assert handed.status is EndpointStatus.CREATING
    assert [*handed.wanted.models] == ["sentiment"]
    assert len(handed.ulid) == 26


async def test_an_endpoint_in_creation_is_described_without_an_instance(bench: Bench) -> None:
    await bench.create_endpoint()

    shown = await bench.ask("DescribeEndpoint", EndpointName="sentiment")

    assert shown["EndpointStatus"] == "Creating"
    assert shown["EndpointConfigName"] == "sentiment-1"
    assert shown["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    assert "FailureReason" not in shown


async def test_an_endpoint_in_service_is_described_with_its_variants(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)

    assert await bench.ask("DescribeEndpoint", EndpointName="sentiment") == {
        "EndpointName": "sentiment",
        "EndpointArn": ARN,
        "EndpointConfigName": "sentiment-1",
        "EndpointStatus": "InService",
        "CreationTime": bench.clock.now(),
        "LastModifiedTime": bench.clock.now(),
        "ProductionVariants": [
            {
                "VariantName": "AllTraffic",
                "CurrentWeight": 1.0,
                "DesiredWeight": 1.0,
                "CurrentInstanceCount": 1,
                "DesiredInstanceCount": 1,
                "DeployedImages": [
                    {
                        "SpecifiedImage": "pytorch-inference:2.3.0",
                        "ResolvedImage": "pytorch-inference:2.3.0",
                        "ResolutionTime": bench.clock.now(),
                    }
                ],
            }
        ],
    }


async def test_of_fifty_concurrent_creations_of_a_name_one_wins(bench: Bench) -> None:
    await bench.create_model()
    await bench.create_config()

    answers = await asyncio.gather(
        *(
            bench.ask("CreateEndpoint", EndpointName="sentiment", EndpointConfigName="sentiment-1")
            for _ in range(50)
        ),
        return_exceptions=True,
    )

    lost = [str(answer) for answer in answers if isinstance(answer, AlreadyExists)]
    assert lost == [f'Cannot create already existing endpoint "{ARN}".'] * 49
    assert [answer for answer in answers if isinstance(answer, dict)] == [{"EndpointArn": ARN}]
    assert len(bench.host.converged) == 1


async def test_an_endpoint_needs_its_configuration_and_models(bench: Bench) -> None:
    with pytest.raises(EndpointConfigNotFound):
        await bench.ask("CreateEndpoint", EndpointName="e", EndpointConfigName="none")
    await bench.create_model()
    await bench.create_config()
    await bench.ask("DeleteModel", ModelName="sentiment")

    with pytest.raises(ModelNotFound):
        await bench.ask("CreateEndpoint", EndpointName="e", EndpointConfigName="sentiment-1")

    assert bench.host.converged == []
    with pytest.raises(EndpointNotFound):
        await bench.ask("DescribeEndpoint", EndpointName="e")


async def test_an_update_keeps_what_serves_until_the_host_has_swapped(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    await bench.create_config("sentiment-2")

    answer = await bench.ask(
        "UpdateEndpoint", EndpointName="sentiment", EndpointConfigName="sentiment-2"
    )

    assert answer == {"EndpointArn": ARN}
    handed = bench.host.converged[-1]
    assert handed.status is EndpointStatus.UPDATING
    assert handed.wanted.config.name == "sentiment-2"
    assert handed.serving is not None
    assert handed.serving.config.name == "sentiment-1"
    shown = await bench.ask("DescribeEndpoint", EndpointName="sentiment")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("Updating", "sentiment-1")


async def test_a_failed_update_shows_its_reason_and_the_next_one_clears_it(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    update = {"EndpointName": "sentiment", "EndpointConfigName": "sentiment-1"}
    await bench.ask("UpdateEndpoint", **update)
    bench.move_endpoint("sentiment", EndpointStatus.IN_SERVICE, "x" * 2000)

    shown = await bench.ask("DescribeEndpoint", EndpointName="sentiment")
    await bench.ask("UpdateEndpoint", **update)

    assert shown["FailureReason"] == "x" * 1024
    assert "FailureReason" not in await bench.ask("DescribeEndpoint", EndpointName="sentiment")


@pytest.mark.parametrize("operation", ["UpdateEndpoint", "DeleteEndpoint"])
async def test_an_endpoint_that_is_being_changed_cannot_be_changed(
    bench: Bench, operation: str
) -> None:
    await bench.create_endpoint()
    members = {"EndpointName": "sentiment"}
    if operation == "UpdateEndpoint":
        members["EndpointConfigName"] = "sentiment-1"

    with pytest.raises(Busy) as caught:
        await bench.ask(operation, **members)

    assert str(caught.value) == f'Cannot update in-progress endpoint "{ARN}".'
    assert (len(bench.host.converged), bench.host.deleted) == (1, [])


async def test_a_failed_endpoint_can_only_be_deleted(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.FAILED)

    with pytest.raises(InvalidRequest, match="only operation that can be performed on a failed"):
        await bench.ask(
            "UpdateEndpoint", EndpointName="sentiment", EndpointConfigName="sentiment-1"
        )

    await bench.ask("DeleteEndpoint", EndpointName="sentiment")
    (handed,) = bench.host.deleted
    assert handed.status is EndpointStatus.DELETING


async def test_configuration_and_model_may_go_while_an_endpoint_has_them(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    await bench.ask("DeleteEndpointConfig", EndpointConfigName="sentiment-1")
    await bench.ask("DeleteModel", ModelName="sentiment")

    shown = await bench.ask("DescribeEndpoint", EndpointName="sentiment")

    assert shown["EndpointConfigName"] == "sentiment-1"
    assert shown["ProductionVariants"][0]["DeployedImages"]


async def test_endpoints_are_listed_by_status(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    await bench.ask("CreateEndpoint", EndpointName="other", EndpointConfigName="sentiment-1")

    serving = await bench.ask("ListEndpoints", StatusEquals="InService")
    by_name = await bench.ask("ListEndpoints", SortBy="Name", SortOrder="Ascending")

    assert [endpoint["EndpointName"] for endpoint in serving["Endpoints"]] == ["sentiment"]
    assert [endpoint["EndpointName"] for endpoint in by_name["Endpoints"]] == [
        "other",
        "sentiment",
    ]
    assert serving["Endpoints"][0].keys() == {
        "EndpointName",
        "EndpointArn",
        "CreationTime",
        "LastModifiedTime",
        "EndpointStatus",
    }


async def test_what_is_missing_is_named(bench: Bench) -> None:
    for operation, members in {
        "DescribeEndpoint": {},
        "DeleteEndpoint": {},
        "UpdateEndpoint": {"EndpointConfigName": "c"},
    }.items():
        with pytest.raises(EndpointNotFound) as caught:
            await bench.ask(operation, EndpointName="Gone", **members)
        assert str(caught.value) == (
            'Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/gone".'
        )
