from __future__ import annotations

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.errors import InvalidRequest, ModelNotFound, NotSupported, TrainingJobNotFound
from tests.builders import ACCOUNT, a_training_document
from tests.control_bench import Bench

MODEL = ACCOUNT.arn("model", "sentiment")


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


async def test_tags_are_added_listed_and_deleted(bench: Bench) -> None:
    await bench.create_model()

    added = await bench.ask("AddTags", ResourceArn=MODEL, Tags=_tags(team="nlp", cost="1"))
    await bench.ask("AddTags", ResourceArn=MODEL, Tags=_tags(team="vision"))
    listed = await bench.ask("ListTags", ResourceArn=MODEL, MaxResults=50)
    await bench.ask("DeleteTags", ResourceArn=MODEL, TagKeys=["cost", "never there"])

    assert added == {"Tags": _tags(cost="1", team="nlp")}
    assert listed == {"Tags": _tags(cost="1", team="vision")}
    assert await bench.ask("ListTags", ResourceArn=MODEL) == {"Tags": _tags(team="vision")}


async def test_what_is_created_with_tags_has_them(bench: Bench) -> None:
    await bench.create_model()
    await bench.ask(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": "sentiment",
                "InstanceType": "local",
                "InitialInstanceCount": 1,
            }
        ],
        Tags=_tags(of="config"),
    )
    await bench.ask(
        "CreateEndpoint", EndpointName="e", EndpointConfigName="c", Tags=_tags(of="endpoint")
    )
    bench.put_object("data", "train/x")
    await bench.ask("CreateTrainingJob", **a_training_document("j"), Tags=_tags(of="job"))

    for kind, name, of in (
        ("endpoint-config", "c", "config"),
        ("endpoint", "e", "endpoint"),
        ("training-job", "j", "job"),
    ):
        listed = await bench.ask("ListTags", ResourceArn=ACCOUNT.arn(kind, name))
        assert listed == {"Tags": _tags(of=of)}
    assert "Tags" not in await bench.ask("DescribeTrainingJob", TrainingJobName="j")
    assert "Tags" not in await bench.ask("DescribeEndpointConfig", EndpointConfigName="c")


async def test_an_arn_means_the_same_whatever_the_case_of_its_name(bench: Bench) -> None:
    await bench.create_model("Sentiment")

    await bench.ask("AddTags", ResourceArn=ACCOUNT.arn("model", "x")[:-1] + "Sentiment", Tags=[])
    await bench.ask("AddTags", ResourceArn=MODEL[:-9] + "Sentiment", Tags=_tags(a="b"))

    assert await bench.ask("ListTags", ResourceArn=MODEL) == {"Tags": _tags(a="b")}


async def test_what_has_no_tags_here_is_refused(bench: Bench) -> None:
    with pytest.raises(ModelNotFound):
        await bench.ask("AddTags", ResourceArn=MODEL, Tags=_tags(a="b"))
    with pytest.raises(TrainingJobNotFound):
        await bench.ask("ListTags", ResourceArn=ACCOUNT.arn("training-job", "none"))
    with pytest.raises(NotSupported, match="not the ARN of a resource that has tags here"):
        await bench.ask("ListTags", ResourceArn=ACCOUNT.arn("pipeline", "p"))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([*_tags(a="1"), *_tags(a="2")], "Duplicate tag keys found: a"),
        ([{"Key": "aws:mine", "Value": "x"}], "aws: prefixed tag key names are not allowed"),
        ([{"Key": "AWS:mine", "Value": "x"}], "aws: prefixed"),
    ],
)
async def test_tags_that_aws_refuses_are_refused(
    bench: Bench, tags: list[dict[str, str]], said: str
) -> None:
    await bench.create_model()

    with pytest.raises(InvalidRequest, match=said):
        await bench.ask("AddTags", ResourceArn=MODEL, Tags=tags)


async def test_the_fifty_first_tag_is_refused(bench: Bench) -> None:
    await bench.create_model()
    await bench.ask(
        "AddTags", ResourceArn=MODEL, Tags=_tags(**{f"k{number}": "v" for number in range(50)})
    )

    with pytest.raises(InvalidRequest, match="50 tags at most"):
        await bench.ask("AddTags", ResourceArn=MODEL, Tags=_tags(one="more"))

    assert len((await bench.ask("ListTags", ResourceArn=MODEL))["Tags"]) == 50


async def test_no_token_is_ours(bench: Bench) -> None:
    await bench.create_model()

    with pytest.raises(InvalidRequest, match="NextToken"):
        await bench.ask("ListTags", ResourceArn=MODEL, NextToken="x")


async def test_tags_go_with_their_resource(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    await bench.ask("AddTags", ResourceArn=MODEL, Tags=_tags(a="b"))
    await bench.ask("DeleteModel", ModelName="sentiment")
    await bench.create_model()

    assert await bench.ask("ListTags", ResourceArn=MODEL) == {"Tags": []}
