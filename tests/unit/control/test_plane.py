from __future__ import annotations

import re

import pytest
from botocore.model import ListShape, Shape, StructureShape

from sagelet.control.deviations import IGNORED, WIDENED
from sagelet.control.members import READ, check_members
from sagelet.control.plane import SERVED
from sagelet.control.refusals import REFUSED
from sagelet.errors import NotSupported
from sagelet.wire.faults import Fault
from sagelet.wire.models import service_model
from tests.builders import a_training_document
from tests.control_bench import PERSON, Bench

SERVICE_OF = {operation: service for service, operation in SERVED}


def _input_of(operation: str) -> StructureShape:
    shape = service_model(SERVICE_OF[operation]).operation_model(operation).input_shape
    assert shape is not None
    return shape


def _shape_at(operation: str, path: str) -> Shape:
    """Return the shape of a member; lists are stepped through."""
    shape: Shape = _input_of(operation)
    for name in path.split("."):
        while isinstance(shape, ListShape):
            shape = shape.member
        assert isinstance(shape, StructureShape), f"{operation}.{path}"
        shape = shape.members[name]
    return shape


def test_every_operation_that_is_served_is_awss() -> None:
    for service, operation in SERVED:
        assert operation in service_model(service).operation_names


@pytest.mark.parametrize(
    ("operation", "path"),
    sorted(
        {
            *((row.operation, row.member) for row in IGNORED),
            *((row.operation, row.member) for row in REFUSED),
            *((operation, path) for operation, paths in READ.items() for path in paths),
        }
    ),
)
def test_every_member_in_a_table_is_awss(operation: str, path: str) -> None:
    assert _shape_at(operation, path).name


def test_a_member_is_in_one_table_only_unless_only_some_values_are_refused() -> None:
    ignored = {(row.operation, row.member) for row in IGNORED}
    refused = {(row.operation, row.member) for row in REFUSED}
    read = {(operation, path) for operation, paths in READ.items() for path in paths}

    assert not ignored & refused
    assert not ignored & read
    assert not refused & read
    assert len(ignored) == len(IGNORED)
    assert len(refused) == len(REFUSED)


def test_values_that_are_refused_are_awss() -> None:
    for row in REFUSED:
        values = getattr(_shape_at(row.operation, row.member), "enum", None)
        if row.values is not None and values:
            assert row.values <= set(values), row


def test_every_row_says_why_in_a_part_of_a_sentence() -> None:
    for why in (*(row.why for row in IGNORED), *(row.why for row in REFUSED)):
        assert re.fullmatch(r"[^.]+", why.replace("/opt/ml", "")), why


@pytest.mark.parametrize("operation", sorted(READ))
def test_every_member_of_the_present_model_is_in_a_table(operation: str) -> None:
    """A member that botocore brings later is refused by name until it is put into one."""
    known = {
        *READ[operation],
        *(row.member for row in IGNORED if row.operation == operation),
        *(row.member for row in REFUSED if row.operation == operation),
    }
    first = {path.partition(".")[0] for path in known}
    shape = _input_of(operation)

    assert first <= set(shape.members)
    for member in set(shape.members) - first:
        with pytest.raises(NotSupported, match=f"{member} is not known to sagelet"):
            check_members(operation, {member: "something"})


def test_a_member_in_no_table_is_refused_wherever_it_is() -> None:
    document = a_training_document()
    document["InputDataConfig"][0]["DataSource"]["S3DataSource"]["Invented"] = "x"

    with pytest.raises(NotSupported) as caught:
        check_members("CreateTrainingJob", document)

    assert str(caught.value).startswith(
        "CreateTrainingJob: InputDataConfig.DataSource.S3DataSource.Invented is not known"
    )


def test_what_is_widened_is_awss_and_accepts_what_it_says() -> None:
    for deviation in WIDENED:
        operation, _, path = deviation.path.partition(".")
        assert deviation.service == "sagemaker"
        assert _shape_at(operation, path).type_name == "string"

    def accepts(path: str, value: str) -> bool:
        return any(row.accepts.fullmatch(value) for row in WIDENED if row.path == path)

    assert accepts("CreateModel.PrimaryContainer.ModelDataUrl", "file:///a/b c")
    assert not accepts("CreateModel.PrimaryContainer.ModelDataUrl", "http://evil")
    assert accepts("CreateEndpointConfig.ProductionVariants.InstanceType", "local_gpu")
    assert not accepts("CreateEndpointConfig.ProductionVariants.InstanceType", "ml.x")
    assert accepts("CreateTrainingJob.RoleArn", "AmazonSageMakerFullAccess")
    assert not accepts("CreateTrainingJob.RoleArn", "a role")


async def test_an_operation_that_is_not_served_says_so_with_the_release(bench: Bench) -> None:
    with pytest.raises(Fault) as caught:
        await bench.plane.answer("sagemaker", "CreatePipeline", {}, PERSON)

    fault = caught.value
    assert (fault.code, fault.status) == ("UnknownOperationException", 400)
    assert fault.message.startswith("CreatePipeline of sagemaker is not served by sagelet 0.1.0")
    assert not bench.plane.serves("sagemaker", "CreatePipeline")
    assert bench.plane.serves("sagemaker", "CreateModel")


def test_the_operations_of_this_release_are_served() -> None:
    assert {operation for service, operation in SERVED if service == "sagemaker"} >= {
        *(f"{verb}Model" for verb in ("Create", "Describe", "Delete")),
        *(f"{verb}EndpointConfig" for verb in ("Create", "Describe", "Delete")),
        *(f"{verb}Endpoint" for verb in ("Create", "Describe", "Update", "Delete")),
        *(f"{verb}TrainingJob" for verb in ("Create", "Describe", "Stop")),
        *(f"List{kind}" for kind in ("Models", "EndpointConfigs", "Endpoints", "TrainingJobs")),
        *("AddTags", "ListTags", "DeleteTags"),
    }
