"""What a model's Environment says of how it is served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sagelet.errors import InvalidRequest
from sagelet.hosting.ignored_variables import WHY_IGNORED, notices
from sagelet.hosting.settings import Container, HostingSettings, usable_cores
from tests.builders import a_model

SETTINGS = HostingSettings(workers=7, waiting_limit=50, timeout_s=60.0, park_after_s=900.0)


def _read(**environment: str) -> Container:
    return Container.of(a_model(environment=environment), SETTINGS)


def test_an_empty_environment_means_the_daemons_own_choices() -> None:
    container = _read()

    assert (container.workers, container.timeout_s, container.waiting_limit) == (7, 60.0, 50)
    assert (container.program, container.contract, container.threads) == ("inference.py", "sane", 1)
    assert (container.port, container.multi_model, container.python) == (None, False, None)
    assert (container.max_request_bytes, container.max_response_bytes) == (None, None)
    assert (container.park_after_s, container.sample, container.attach) == (900.0, None, None)


@pytest.mark.parametrize(
    ("environment", "workers"),
    [
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}, 3),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": ""}, 7),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "auto"}, usable_cores()),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "3", "SAGEMAKER_TS_MAX_WORKERS": "4"}, 3),
        ({"SAGEMAKER_TS_MAX_WORKERS": "4", "SAGEMAKER_TS_MIN_WORKERS": "2"}, 4),
        ({"SAGEMAKER_TS_MIN_WORKERS": "2"}, 2),
        ({"TS_DEFAULT_WORKERS_PER_MODEL": "5"}, 5),
        ({"SAGEMAKER_TS_BATCH_SIZE": "8"}, 1),
        ({"SAGEMAKER_TS_MAX_BATCH_DELAY": "50"}, 1),
        ({"SAGEMAKER_TS_RESPONSE_TIMEOUT": "9"}, 1),
        ({"SAGEMAKER_MULTI_MODEL": "true"}, 1),
        ({"SAGEMAKER_MULTI_MODEL": "True"}, 7),
        ({"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}, 2),
    ],
)
def test_how_many_workers_there_are(environment: dict[str, str], workers: int) -> None:
    assert _read(**environment).workers == workers


@pytest.mark.parametrize(
    ("environment", "timeout_s"),
    [
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "90"}, 90),
        (
            {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "5"},
            5,
        ),
        ({"TS_DEFAULT_RESPONSE_TIMEOUT": "7", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "2"}, 7),
        ({"SAGEMAKER_TS_RESPONSE_TIMEOUT": "3", "TS_DEFAULT_RESPONSE_TIMEOUT": "7"}, 3),
    ],
)
def test_how_long_a_request_may_take_in_seconds(
    environment: dict[str, str], timeout_s: float
) -> None:
    assert _read(**environment).timeout_s == timeout_s


@pytest.mark.parametrize(
    ("environment", "request_bytes", "response_bytes"),
    [
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, 6 * 2**20, None),
        ({"TS_MAX_REQUEST_SIZE": "100", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, 100, None),
        ({"TS_MAX_RESPONSE_SIZE": "200"}, None, 200),
        ({"SAGELET_CONTRACT": "strict"}, 6_553_500, 6_553_500),
        ({"SAGELET_CONTRACT": "strict", "TS_MAX_REQUEST_SIZE": "100"}, 100, 6_553_500),
    ],
)
def test_how_large_a_request_and_its_answer_may_be(
    environment: dict[str, str], request_bytes: int | None, response_bytes: int | None
) -> None:
    container = _read(**environment)

    assert container.max_request_bytes == request_bytes
    assert container.max_response_bytes == response_bytes


def test_the_rest_is_read_as_its_name_promises() -> None:
    container = _read(
        SAGEMAKER_PROGRAM="serve.py",
        SAGEMAKER_BIND_TO_PORT="8080",
        SAGELET_PYTHON="/venv/bin/python",
        SAGELET_THREADS="2",
        SAGELET_MAX_BATCH="16",
        SAGELET_SAMPLE="/p/sample.json",
        SAGELET_PARK_AFTER="30",
        SAGELET_MAX_MODELS="3",
        SAGELET_LOG_MB="2",
        TS_JOB_QUEUE_SIZE="5",
    )

    assert (container.program, container.port, container.threads) == ("serve.py", 8080, 2)
    assert container.python == Path("/venv/bin/python")
    assert container.sample == Path("/p/sample.json")
    assert (container.max_batch, container.max_models, container.waiting_limit) == (16, 3, 5)
    assert container.park_after_s == 30
    assert container.log_bytes == 2 * 2**20


def test_a_model_in_multi_model_mode_needs_no_variable() -> None:
    assert Container.of(replace(a_model(), is_multi=True), SETTINGS).multi_model


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, value)
            for name in (
                "SAGEMAKER_MODEL_SERVER_WORKERS",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS",
                "SAGEMAKER_TS_RESPONSE_TIMEOUT",
                "SAGEMAKER_TS_MAX_WORKERS",
                "SAGEMAKER_TS_MIN_WORKERS",
                "SAGEMAKER_TS_BATCH_SIZE",
                "SAGEMAKER_TS_MAX_BATCH_DELAY",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB",
                "TS_MAX_REQUEST_SIZE",
                "TS_MAX_RESPONSE_SIZE",
                "TS_DEFAULT_RESPONSE_TIMEOUT",
                "TS_DEFAULT_WORKERS_PER_MODEL",
                "TS_JOB_QUEUE_SIZE",
                "SAGEMAKER_BIND_TO_PORT",
                "SAGELET_THREADS",
                "SAGELET_MAX_BATCH",
                "SAGELET_MAX_MODELS",
                "SAGELET_PARK_AFTER",
                "SAGELET_LOG_MB",
            )
            for value in ("0", "-1", "1.5", "many", "²")
        ),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
        ("SAGELET_CONTRACT", "loose"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{name} is "):
        _read(**{name: value})


def test_what_has_no_effect_is_said() -> None:
    said = list(
        notices({"TS_METRICS_CONFIG": "x", "TS_JOB_QUEUE_SIZE": "5", "CA_REPOSITORY_ARN": "arn"})
    )

    assert said == [
        "CA_REPOSITORY_ARN has no effect here: packages come from pip's own index; configure that",
        "TS_METRICS_CONFIG has no effect here: it configures TorchServe, which does not run",
    ]


def test_the_reference_lists_every_variable_that_has_no_effect() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "handlers.md"
    text = page.read_text()

    assert [name for name in WHY_IGNORED if f"`{name}`" not in text] == []
