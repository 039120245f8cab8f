"""What a CreateTrainingJob request asks to be run: a script under the toolkit, or a command."""

from __future__ import annotations

import json
import re

from sagelet import __version__
from sagelet.control.context import Document
from sagelet.domain.training import LiteralProgram, Program, ToolkitProgram
from sagelet.errors import InvalidRequest, NotSupported

_BUILT_IN = re.compile(
    r"/(sagemaker-)?(blazingtext|factorization-machines|forecasting-deepar|image-classification|"
    r"ipinsights|kmeans|knn|lda|linear-learner|ntm|object-detection|object2vec|pca|"
    r"randomcutforest|semantic-segmentation|seq2seq|xgboost)([:@]|$)"
)
_WAYS = (
    "Give the hyperparameters sagemaker_program (the script) and sagemaker_submit_directory (an "
    "s3:// or file:// URL of its source), as SageMaker SDK v2's estimators do; or "
    "AlgorithmSpecification.ContainerEntrypoint (a command), as SDK v3's ModelTrainer does."
)


def read_program(document: Document) -> Program:
    """Read what a job runs: its ContainerEntrypoint as it is, else its script.

    Raises:
        NotSupported: its image itself would have to run.
        InvalidRequest: it has arguments for a command that it does not name.
    """
    algorithm = document.get("AlgorithmSpecification") or {}
    entrypoint = algorithm.get("ContainerEntrypoint") or ()
    arguments = algorithm.get("ContainerArguments") or ()
    if entrypoint:
        return LiteralProgram(tuple(entrypoint), tuple(arguments))
    if arguments:
        raise InvalidRequest(
            message="AlgorithmSpecification.ContainerArguments are those of a ContainerEntrypoint, "
            "which the job does not name; an image's own is not known here."
        )
    script, source = _script(document)
    if not script or not source:
        raise NotSupported(message=_why_not(str(algorithm.get("TrainingImage"))))
    return ToolkitProgram(script, source)


def _why_not(image: str) -> str:
    """Say why a job that names no script is not run, and what would run it."""
    if _BUILT_IN.search(image):
        return (
            f"{image} is one of AWS's own algorithms, whose code is in its image alone, and "
            f"sagelet {__version__} runs no images: SageMaker on AWS runs it. To train here, bring "
            f"a script. {_WAYS}"
        )
    return (
        "The job names no script, so that its image would have to run, and sagelet "
        f"{__version__} runs no images. {_WAYS}"
    )


def _script(document: Document) -> tuple[str, str]:
    """Return the entry point and its source, empty where they are not named."""
    parameters = document.get("HyperParameters") or {}
    environment = document.get("Environment") or {}
    return (
        _decoded(parameters.get("sagemaker_program") or environment.get("SAGEMAKER_PROGRAM")),
        _decoded(
            parameters.get("sagemaker_submit_directory")
            or environment.get("SAGEMAKER_SUBMIT_DIRECTORY")
        ),
    )


def _decoded(value: str | None) -> str:
    """Return a hyperparameter's text: SDK v2 encodes it as JSON, a person may not."""
    if not value:
        return ""
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value
