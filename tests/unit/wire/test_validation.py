"""AWS's sentences for what a document breaks."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from sagelet.wire.constraints import java_pattern, unmatched_patterns
from sagelet.wire.documents import Value
from sagelet.wire.faults import Fault
from sagelet.wire.models import description, service_model
from sagelet.wire.validation import Deviation, validate

ROLE = "arn:aws:iam::000000000000:role/local"
VARIANT = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
NAME_PATTERN = "[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?"


def errors(
    service: str, operation: str, document: dict[str, Any], deviations: tuple[Deviation, ...] = ()
) -> Fault:
    with pytest.raises(Fault) as caught:
        validate(document, service_model(service).operation_model(operation), deviations)
    assert caught.value.status == 400
    return caught.value


def sagemaker(operation: str, **document: Value) -> str:
    fault = errors("sagemaker", operation, document)
    assert fault.code == "ValidationException"
    return fault.message


def valid(operation: str, deviations: tuple[Deviation, ...] = (), **document: Value) -> None:
    validate(document, service_model("sagemaker").operation_model(operation), deviations)


def pattern_of(shape: str) -> str:
    text: str = description("sagemaker")["shapes"][shape]["pattern"]
    return text


def test_a_document_within_its_limits_passes() -> None:
    valid("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    valid("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[VARIANT])
    valid("ListModels")


def test_a_missing_member_must_not_be_null() -> None:
    assert sagemaker("CreateModel") == (
        "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_a_missing_member_deep_inside_is_named_by_its_path() -> None:
    message = sagemaker(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[VARIANT, {"ModelName": "m"}],
    )
    assert message == (
        "1 validation error detected: Value null at 'productionVariants.2.member.variantName' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_a_name_of_another_form_is_shown_with_the_pattern() -> None:
    message = sagemaker(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[{**VARIANT, "ModelName": "a_b"}],
    )
    assert message == (
        "1 validation error detected: Value 'a_b' at 'productionVariants.1.member.modelName' "
        "failed to satisfy constraint: Member must satisfy regular expression pattern: "
        f"{pattern_of('ModelName')}"
    )


def test_all_errors_are_listed() -> None:
    message = sagemaker("DescribeTrainingJob", TrainingJobName="-" + "x" * 63)
    assert message.startswith(f"2 validation errors detected: Value '-{'x' * 63}' at ")
    assert (
        "'trainingJobName' failed to satisfy constraint: "
        "Member must have length less than or equal to 63; Value '-"
    ) in message
    assert (
        f"Member must satisfy regular expression pattern: {pattern_of('TrainingJobName')}"
        in message
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0, "Member must have value greater than or equal to 1"),
        (101, "Member must have value less than or equal to 100"),
    ],
)
def test_a_number_has_bounds(value: int, sentence: str) -> None:
    assert sagemaker("ListModels", MaxResults=value) == (
        f"1 validation error detected: Value '{value}' at 'maxResults' failed to satisfy "
        f"constraint: {sentence}"
    )


def test_an_enum_is_listed_whole() -> None:
    assert sagemaker("ListModels", SortOrder="Up") == (
        "1 validation error detected: Value 'Up' at 'sortOrder' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Ascending, Descending]"
    )


def test_a_list_has_a_length() -> None:
    assert sagemaker("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[]) == (
        "1 validation error detected: Value '[]' at 'productionVariants' failed to satisfy "
        "constraint: Member must have length greater than or equal to 1"
    )


def test_the_items_of_a_list_are_judged_together_with_every_constraint() -> None:
    message = sagemaker(
        "CreateModel",
        ModelName="m",
        VpcConfig={"SecurityGroupIds": ["sg-1", "not ok"], "Subnets": ["subnet-1"]},
    )
    assert message == (
        "1 validation error detected: Value '[sg-1, not ok]' at 'vpcConfig.securityGroupIds' "
        "failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 32, "
        "Member must have length greater than or equal to 0, "
        "Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]"
    )


def test_the_values_and_keys_of_a_map_are_judged_together() -> None:
    container = {"Image": "i", "Environment": {"A": "x" * 1025}}
    message = sagemaker("CreateModel", ModelName="m", PrimaryContainer=container)
    assert message.startswith("1 validation error detected: Value '{A=xxx")
    assert message.endswith(
        "…' at 'primaryContainer.environment' failed to satisfy constraint: "
        "Map value must satisfy constraint: [Member must have length less than or equal to 1024, "
        "Member must have length greater than or equal to 0, "
        "Member must satisfy regular expression pattern: [\\S\\s]*]"
    )
    message = sagemaker(
        "CreateModel", ModelName="m", PrimaryContainer={"Environment": {"1A": "b", "C": "d"}}
    )
    assert "Value '{1A=b, C=d}' at 'primaryContainer.environment'" in message
    assert "Map keys must satisfy constraint: [Member must have length less than" in message


@pytest.mark.parametrize(
    "name", ["a_b", "-x", "x-", "", "../x", "ünï", "a b", "a\n", "a" * 64, "\u0661"]
)
def test_names_that_aws_refuses_are_refused(name: str) -> None:
    with pytest.raises(Fault):
        valid("CreateModel", ModelName=name)


@pytest.mark.parametrize("name", ["a", "A-b-9", "a--b", "a" * 63])
def test_names_that_aws_takes_are_taken(name: str) -> None:
    valid("CreateModel", ModelName=name)


def test_a_pattern_must_match_the_whole_value_as_in_java() -> None:
    assert "'maxResults'" not in sagemaker("DescribeModel", ModelName="good\nbad")
    compiled = java_pattern(r"\w+")
    assert compiled is not None
    assert compiled.fullmatch("abc")
    assert not compiled.fullmatch("ünï")


@pytest.mark.parametrize(
    ("service", "operation", "document", "code"),
    [
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "a_b", "Body": b""},
            "ValidationError",
        ),
        ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "InvalidParameterException"),
        ("iam", "GetRole", {"RoleName": ""}, "ValidationError"),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, "ValidationError"),
        ("s3", "ListObjectsV2", {}, "InvalidArgument"),
    ],
)
def test_each_service_has_its_own_code(
    service: str, operation: str, document: dict[str, Any], code: str
) -> None:
    assert errors(service, operation, document).code == code


def test_a_body_of_bytes_has_no_limit_here_and_may_not_be_absent() -> None:
    operation = service_model("sagemaker-runtime").operation_model("InvokeEndpoint")
    validate({"EndpointName": "e", "Body": b"x" * 7_000_000}, operation)
    message = errors("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}).message
    assert "Value null at 'body'" in message


def test_what_is_sensitive_is_not_shown() -> None:
    document = {"EndpointName": "e", "Body": b"", "CustomAttributes": "s3cret" * 1000}
    message = errors("sagemaker-runtime", "InvokeEndpoint", document).message
    assert "s3cret" not in message
    assert "Value at 'customAttributes' failed to satisfy constraint" in message


def test_a_long_value_is_cut_and_a_long_list_of_errors_too() -> None:
    assert len(sagemaker("DescribeModel", ModelName="_" * 100_000)) < 2000
    tags = [{"Key": "", "Value": ""} for _ in range(1000)]
    message = sagemaker(
        "AddTags", ResourceArn="arn:aws:sagemaker:us-east-1:000000000000:model/m", Tags=tags
    )
    assert message.startswith("1001 validation errors detected: ")
    assert message.count(" failed to satisfy constraint") == 100


LOCAL = Deviation(
    service="sagemaker",
    path="CreateEndpointConfig.ProductionVariants.InstanceType",
    accepts=re.compile(r"local(_gpu)?"),
    why="an endpoint on this machine has no instance type",
)


def test_a_deviation_widens_one_member_and_no_other() -> None:
    def variants(instance_type: str) -> list[dict[str, str]]:
        return [{**VARIANT, "InstanceType": instance_type}]

    name = "CreateEndpointConfig"
    valid(name, (LOCAL,), EndpointConfigName="c", ProductionVariants=variants("local"))
    for deviations, value in (((), "local"), ((LOCAL,), "local2"), ((LOCAL,), "ml.none")):
        with pytest.raises(Fault):
            valid(name, deviations, EndpointConfigName="c", ProductionVariants=variants(value))
    with pytest.raises(Fault):
        valid(name, (LOCAL,), EndpointConfigName="local_gpu", ProductionVariants=variants("local"))


def test_a_deviation_reaches_items_of_lists_and_values_of_maps() -> None:
    widened = (
        Deviation("sagemaker", "CreateModel.VpcConfig.SecurityGroupIds", re.compile("not ok"), "?"),
        Deviation("sagemaker", "CreateModel.PrimaryContainer.Environment", re.compile("x+"), "?"),
        Deviation("logs", "CreateModel.ModelName", re.compile(".*"), "another service"),
    )
    valid(
        "CreateModel",
        widened,
        ModelName="m",
        VpcConfig={"SecurityGroupIds": ["not ok"], "Subnets": ["s"]},
        PrimaryContainer={"Environment": {"A": "x" * 2000}},
    )
    with pytest.raises(Fault):
        valid("CreateModel", widened, ModelName="a_b")


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "logs", "sts", "iam", "s3"])
def test_few_patterns_are_beyond_pythons_re(service: str) -> None:
    unmatched = unmatched_patterns(service)
    assert len(unmatched) < 15
    known = (r"\p{", r"\uD800", r"[\w-_]", "([-a-z0-9]*[a-z0-9])")
    assert all(any(part in text for part in known) for text in unmatched)


@pytest.mark.parametrize(
    "text", ["[a-z&&[def]]", "[[a-z]]", "[a--b]", r"\p{L}", "(", "a{99999999999}"]
)
def test_what_python_would_read_otherwise_than_java_is_not_matched(text: str) -> None:
    assert java_pattern(text) is None


HOSTILE = ("a", "-", "a-", "0", "/", "a/", "a.", ".", " ", "s3://a", "arn:a:", "_", "aA0-")


class TookTooLong(Exception):
    """A pattern was still being matched when its time was over."""


@pytest.fixture
def alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "logs", "sts", "iam"])
def test_no_pattern_of_the_models_can_be_made_to_take_long(service: str) -> None:
    shapes = description(service)["shapes"].values()
    patterns = {shape["pattern"]: shape.get("max", 4096) for shape in shapes if "pattern" in shape}
    for text, longest in patterns.items():
        compiled = java_pattern(text)
        for piece in HOSTILE if compiled else ():
            value = (piece * 4096 + "!\n\x00")[-longest:]
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            try:
                assert compiled is not None
                compiled.fullmatch(value)
            except TookTooLong:
                pytest.fail(f"{text} takes too long on {piece!r}")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)


def test_the_one_pattern_that_would_take_for_ever_is_not_matched() -> None:
    text = "[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?"
    assert java_pattern(text) is None
    assert text in unmatched_patterns("sagemaker")
    assert java_pattern("[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}") is not None
