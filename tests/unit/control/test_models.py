from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.errors import (
    AlreadyExists,
    InvalidRequest,
    ModelDataMissing,
    ModelNotFound,
    NotSupported,
)
from tests.control_bench import Bench

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/sentiment"
URL = "s3://models/sentiment/model.tar.gz"


async def test_a_model_is_described_as_it_was_submitted_with_what_aws_fills_in(
    bench: Bench,
) -> None:
    await bench.create_model()

    shown = await bench.ask("DescribeModel", ModelName="sentiment")

    assert shown == {
        "ModelName": "sentiment",
        "ModelArn": ARN,
        "PrimaryContainer": {
            "Mode": "SingleModel",
            "Image": "pytorch-inference:2.3.0",
            "ModelDataUrl": URL,
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        },
        "ExecutionRoleArn": "arn:aws:iam::000000000000:role/AmazonSageMakerFullAccess",
        "EnableNetworkIsolation": False,
        "CreationTime": bench.clock.now(),
    }


async def test_a_name_can_be_taken_once_whatever_its_case(bench: Bench) -> None:
    await bench.create_model()

    with pytest.raises(AlreadyExists) as caught:
        await bench.create_model("Sentiment")

    assert str(caught.value) == f'Cannot create already existing model "{ARN}".'


async def test_data_must_be_there(bench: Bench) -> None:
    with pytest.raises(ModelDataMissing) as caught:
        await bench.ask(
            "CreateModel", ModelName="m", PrimaryContainer={"ModelDataUrl": "s3://models/none.gz"}
        )

    assert str(caught.value) == "Could not find model data at s3://models/none.gz."
    with pytest.raises(ModelNotFound):
        await bench.ask("DescribeModel", ModelName="m")


async def test_data_may_be_a_folder_of_this_machine(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()

    await bench.ask(
        "CreateModel", ModelName="m", PrimaryContainer={"ModelDataUrl": folder.as_uri()}
    )

    with bench.store.reading() as snapshot:
        assert snapshot.models.get("m").data_url == folder.as_uri()


async def test_data_may_be_a_prefix_that_is_not_packed(bench: Bench) -> None:
    bench.put_object("models", "plain/model.pth")
    source = {"S3Uri": "s3://models/plain/", "S3DataType": "S3Prefix", "CompressionType": "None"}

    await bench.ask(
        "CreateModel",
        ModelName="m",
        PrimaryContainer={"ModelDataSource": {"S3DataSource": source}},
    )

    shown = await bench.ask("DescribeModel", ModelName="m")
    assert shown["PrimaryContainer"]["ModelDataSource"] == {"S3DataSource": source}
    with bench.store.reading() as snapshot:
        assert snapshot.models.get("m").data_url == "s3://models/plain/"


async def test_a_relative_file_url_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="relative"):
        await bench.ask(
            "CreateModel",
            ModelName="m",
            PrimaryContainer={"ModelDataUrl": "file://build/model.tar.gz"},
        )


async def test_a_model_needs_its_container(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="needs a PrimaryContainer"):
        await bench.ask("CreateModel", ModelName="m")


async def test_data_in_two_places_is_refused(bench: Bench) -> None:
    source = {"S3Uri": URL, "S3DataType": "S3Object", "CompressionType": "Gzip"}

    with pytest.raises(InvalidRequest, match="not both"):
        await bench.ask(
            "CreateModel",
            ModelName="m",
            PrimaryContainer={"ModelDataUrl": URL, "ModelDataSource": {"S3DataSource": source}},
        )


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"Containers": [{"Image": "a"}]}, "Containers"),
        ({"InferenceExecutionConfig": {"Mode": "Serial"}}, "InferenceExecutionConfig"),
        ({"PrimaryContainer": {"ModelPackageName": "p"}}, "PrimaryContainer.ModelPackageName"),
    ],
)
async def test_what_is_not_served_is_named_with_the_release(
    bench: Bench, members: dict[str, object], named: str
) -> None:
    with pytest.raises(NotSupported) as caught:
        await bench.ask("CreateModel", ModelName="m", **members)

    assert str(caught.value).startswith(f"CreateModel: {named} is not served by sagelet 0.1.0: ")


async def test_empty_members_ask_for_nothing(bench: Bench) -> None:
    bench.put_object("models", "sentiment/model.tar.gz")

    await bench.ask(
        "CreateModel",
        ModelName="m",
        PrimaryContainer={"ModelDataUrl": URL, "Environment": {}},
        Containers=[],
        Tags=[],
    )


async def test_models_are_listed_newest_first_in_pages(bench: Bench) -> None:
    for number in range(3):
        bench.clock.move(1)
        await bench.create_model(f"m{number}")

    first = await bench.ask("ListModels", MaxResults=2)
    second = await bench.ask("ListModels", MaxResults=2, NextToken=first["NextToken"])

    assert [model["ModelName"] for model in first["Models"]] == ["m2", "m1"]
    assert [model["ModelName"] for model in second["Models"]] == ["m0"]
    assert "NextToken" not in second
    assert first["Models"][0].keys() == {"ModelName", "ModelArn", "CreationTime"}


async def test_a_deleted_model_is_gone(bench: Bench) -> None:
    await bench.create_model()
    await bench.ask("DeleteModel", ModelName="sentiment")

    with pytest.raises(ModelNotFound) as caught:
        await bench.ask("DescribeModel", ModelName="sentiment")
    assert str(caught.value) == f'Could not find model "{ARN}".'
    with pytest.raises(ModelNotFound):
        await bench.ask("DeleteModel", ModelName="sentiment")


@pytest.mark.parametrize(("mode", "is_multi"), [("MultiModel", True), ("SingleModel", False)])
async def test_a_container_may_be_of_several_models(
    bench: Bench, mode: str, is_multi: bool
) -> None:
    bench.put_object("models", "many/a.tar.gz")
    container = {"Mode": mode, "ModelDataUrl": "s3://models/many/"}

    await bench.ask("CreateModel", ModelName="m", PrimaryContainer=container)

    with bench.store.reading() as snapshot:
        assert snapshot.models.get("m").is_multi is is_multi
    shown = await bench.ask("DescribeModel", ModelName="m")
    assert shown["PrimaryContainer"] == container
