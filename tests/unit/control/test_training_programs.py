"""What a CreateTrainingJob request asks to be run, and what is refused with the way to run it."""

from __future__ import annotations

from typing import Any

import pytest

from sagelet.control.documents.training_programs import read_program
from sagelet.domain.training import LiteralProgram, ToolkitProgram
from sagelet.errors import InvalidRequest, NotSupported

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SCRIPT = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"s3://b/source.tar.gz"'}


def a_request(image: str = "mine:latest", **members: Any) -> dict[str, Any]:  # noqa: ANN401  AWS's own
    algorithm = {"TrainingImage": image, **members.pop("AlgorithmSpecification", {})}
    return {"AlgorithmSpecification": algorithm, **members}


def test_a_script_is_read_from_the_hyperparameters_as_text_or_as_json() -> None:
    expected = ToolkitProgram("train.py", "s3://b/source.tar.gz")
    assert read_program(a_request(HyperParameters=SCRIPT)) == expected
    plain = {name: text.strip('"') for name, text in SCRIPT.items()}
    assert read_program(a_request(HyperParameters=plain)) == expected
    variables = {name.upper(): text for name, text in plain.items()}
    assert read_program(a_request(Environment=variables)) == expected


def test_a_command_is_run_rather_than_a_script() -> None:
    command = {"ContainerEntrypoint": ["/bin/bash"], "ContainerArguments": ["-c", "./go.sh"]}
    asked = a_request(AlgorithmSpecification=command, HyperParameters=SCRIPT)
    assert read_program(asked) == LiteralProgram(("/bin/bash",), ("-c", "./go.sh"))


def test_a_command_needs_no_arguments() -> None:
    asked = a_request(AlgorithmSpecification={"ContainerEntrypoint": ["train"]})
    assert read_program(asked) == LiteralProgram(("train",))


def test_arguments_without_a_command_are_refused() -> None:
    asked = a_request(AlgorithmSpecification={"ContainerArguments": ["train"]})
    with pytest.raises(InvalidRequest, match="those of a ContainerEntrypoint"):
        read_program(asked)


@pytest.mark.parametrize("missing", SCRIPT)
def test_a_job_that_names_no_script_is_told_what_would_run_it(missing: str) -> None:
    parameters = {name: text for name, text in SCRIPT.items() if name != missing}
    with pytest.raises(NotSupported) as refused:
        read_program(a_request(HyperParameters=parameters))
    for way in ("sagemaker_program", "sagemaker_submit_directory", "ContainerEntrypoint"):
        assert way in str(refused.value)


def test_one_of_awss_own_algorithms_is_named_as_such() -> None:
    with pytest.raises(NotSupported, match="one of AWS's own algorithms") as refused:
        read_program(a_request(XGBOOST, HyperParameters={"max_depth": "5"}))
    assert "SageMaker on AWS runs it" in str(refused.value)
